# How libraries are found: by what is needed of them, not by a release. enrg_library tries each name that pkg-config may
# know, then each plain library, and takes the first with which a program of one expression compiles and links. What is
# missing is named as the package that brings it.
include(CheckCSourceCompiles)
include(CheckCXXSourceCompiles)
find_package(PkgConfig REQUIRED)
set(ENRG_WITHOUT "" CACHE STRING "Libraries to treat as if they were not there: HDF5;MARIADB")

# Does the expression `uses` compile and link? Remembered as ENRG_TRIED_…
function(enrg_try_library ret_works tried folders libraries header uses language)
  set(CMAKE_REQUIRED_INCLUDES ${folders})
  set(CMAKE_REQUIRED_LIBRARIES ${libraries})
  set(CMAKE_REQUIRED_QUIET ON)
  set(usual "#include <setjmp.h>\n#include <stdarg.h>\n#include <stdint.h>\n#include <stdio.h>\n")
  string(CONCAT source "${usual}#include <${header}>\n"
    "int main(void) { return (int)(${uses}); }\n")
  if(language STREQUAL CXX)
    check_cxx_source_compiles("${source}" ${tried})
  else()
    check_c_source_compiles("${source}" ${tried})
  endif()
  set(${ret_works} ${${tried}} PARENT_SCOPE)
  if(NOT ${tried})
    unset(${tried} CACHE) # it may be installed before the next time
  endif()
endfunction()

# One candidate: `way` is a name for pkg-config, or -lNAME. Sets the folders and libraries that it means; no libraries: it is
# not known here.
function(enrg_resolve_library way ret_folders ret_libraries)
  set(folders "")
  if(way MATCHES "^-l")
    set(libraries ${way})
  else()
    string(MAKE_C_IDENTIFIER "ENRG_PKG_${way}" prefix)
    pkg_check_modules(${prefix} QUIET ${way})
    set(libraries ${${prefix}_LINK_LIBRARIES})
    foreach(folder ${${prefix}_INCLUDE_DIRS}) # a .pc file may name one that is relative to nothing
      if(IS_ABSOLUTE ${folder} AND IS_DIRECTORY ${folder})
        list(APPEND folders ${folder})
      endif()
    endforeach()
  endif()
  set(${ret_folders} ${folders} PARENT_SCOPE)
  set(${ret_libraries} ${libraries} PARENT_SCOPE)
endfunction()

# enrg_library(ZMQ REQUIRED TRY libzmq -lzmq HEADER zmq.h USES "zmq_ctx_new() == NULL" DEBIAN … FEDORA … ARCH …)
# makes the target PkgConfig::ZMQ and sets ZMQ_FOUND. CXX: a library of C++ headers; it is not linked. Without REQUIRED, LACKS
# says what is left out where the library is missing.
function(enrg_library name)
  cmake_parse_arguments(A "REQUIRED;CXX" "HEADER;USES;DEBIAN;FEDORA;ARCH;LACKS" "TRY" ${ARGN})
  set(${name}_FOUND TRUE PARENT_SCOPE)
  if(TARGET PkgConfig::${name})
    return()
  endif()
  if(name IN_LIST ENRG_WITHOUT)
    set(A_TRY "")
  endif()
  foreach(way ${A_TRY})
    enrg_resolve_library(${way} folders libraries)
    if(NOT libraries)
      continue()
    endif()
    set(language C)
    if(A_CXX)
      set(libraries "")
      set(language CXX)
    endif()
    string(MAKE_C_IDENTIFIER "ENRG_TRIED_${name}_${way}" tried)
    enrg_try_library(works ${tried} "${folders}" "${libraries}" ${A_HEADER} "${A_USES}" ${language})
    if(works)
      add_library(PkgConfig::${name} INTERFACE IMPORTED GLOBAL)
      set_target_properties(PkgConfig::${name} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${folders}"
        INTERFACE_LINK_LIBRARIES "${libraries}")
      return()
    endif()
  endforeach()
  set(${name}_FOUND FALSE PARENT_SCOPE)
  set(packages "Debian, Ubuntu: ${A_DEBIAN}; Fedora: ${A_FEDORA}; Arch: ${A_ARCH}")
  if(A_REQUIRED)
    set_property(GLOBAL APPEND_STRING PROPERTY enrg_missing "  ${A_HEADER}: ${packages}\n")
  else()
    message(STATUS "no ${A_HEADER} (${packages}): ${A_LACKS}")
  endif()
endfunction()

# Ends the configuration where a required library is missing, and names them all.
function(enrg_libraries_end)
  get_property(missing GLOBAL PROPERTY enrg_missing)
  if(missing)
    message(FATAL_ERROR "Libraries are missing, or too old. These packages bring them:\n${missing}"
      "On Debian and Ubuntu, scripts/install-packages.sh build installs all that is needed.")
  endif()
endfunction()

# What several parts use. A library of one plugin alone is looked for in the plugin's folder.
enrg_library(ZMQ REQUIRED TRY libzmq -lzmq HEADER zmq.h USES "zmq_ctx_new() == NULL"
  DEBIAN libzmq3-dev FEDORA zeromq-devel ARCH zeromq)
enrg_library(MSGPACK REQUIRED TRY msgpack-c msgpack -lmsgpack-c -lmsgpackc HEADER msgpack.h
  USES "msgpack_pack_str((msgpack_packer *)NULL, 0)"
  DEBIAN "libmsgpack-c-dev (or libmsgpack-dev)" FEDORA msgpack-devel ARCH msgpack-c)
enrg_library(JANSSON REQUIRED TRY jansson -ljansson HEADER jansson.h USES "json_loads(\"\", 0, NULL) == NULL"
  DEBIAN libjansson-dev FEDORA jansson-devel ARCH jansson)
enrg_library(ISAL REQUIRED TRY libisal -lisal HEADER isa-l/crc.h USES "crc32_iscsi(NULL, 0, 0)"
  DEBIAN libisal-dev FEDORA isa-l-devel ARCH isa-l)
enrg_library(TOMLPP REQUIRED CXX TRY tomlplusplus -ltomlplusplus HEADER toml++/toml.h USES "TOML_LIB_MAJOR - 3"
  DEBIAN libtomlplusplus-dev FEDORA tomlplusplus-devel ARCH tomlplusplus)
enrg_library(ZSTD REQUIRED TRY libzstd -lzstd HEADER zstd.h USES "ZSTD_compressStream2(NULL, NULL, NULL, ZSTD_e_end)"
  DEBIAN libzstd-dev FEDORA libzstd-devel ARCH zstd)
enrg_library(CMOCKA REQUIRED TRY cmocka -lcmocka HEADER cmocka.h USES "_cmocka_run_group_tests(NULL, NULL, 0, NULL, NULL)"
  DEBIAN libcmocka-dev FEDORA libcmocka-devel ARCH cmocka)
enrg_library(LZ4 TRY liblz4 -llz4 HEADER lz4frame.h USES "LZ4F_compressFrameBound(0, NULL)"
  DEBIAN liblz4-dev FEDORA lz4-devel ARCH lz4 LACKS "compression = \"lz4\" and the store root are left out")
enrg_library(ZLIB TRY zlib -lz HEADER zlib.h USES "compressBound(0)"
  DEBIAN zlib1g-dev FEDORA zlib-devel ARCH zlib LACKS "the store root and the tests of figures are left out")
# Debian has libcurl with OpenSSL and with GnuTLS: either will do.
enrg_library(CURL TRY libcurl -lcurl HEADER curl/curl.h USES "CURLOPT_PROTOCOLS_STR + CURLOPT_QUICK_EXIT + curl_version_info(CURLVERSION_NOW)->age"
  DEBIAN "libcurl4-openssl-dev (or libcurl4-gnutls-dev)" FEDORA libcurl-devel ARCH curl
  LACKS "the services that post to Slack and webhooks, and the heartbeat, are left out")
enrg_library(SQLITE TRY sqlite3 -lsqlite3 HEADER sqlite3.h USES "sqlite3_prepare_v3(NULL, NULL, 0, 0, NULL, NULL)"
  DEBIAN libsqlite3-dev FEDORA sqlite-devel ARCH sqlite LACKS "the run book and the store sqlite are left out")
enrg_library(WEBSOCKETS TRY libwebsockets -lwebsockets HEADER libwebsockets.h USES "lws_create_context(NULL) == NULL"
  DEBIAN libwebsockets-dev FEDORA libwebsockets-devel ARCH libwebsockets
  LACKS "command and control from outside is left out: REST, CNC, the page, /metrics")
enrg_library(CRYPT TRY libxcrypt libcrypt -lcrypt HEADER crypt.h USES "crypt_gensalt_rn(\"$y$\", 0, NULL, 0, NULL, 0) == NULL && crypt_checksalt(\"\")"
  DEBIAN libcrypt-dev FEDORA libxcrypt-devel ARCH libxcrypt LACKS "log-ins with passwords are left out; tokens work")
enrg_libraries_end()
