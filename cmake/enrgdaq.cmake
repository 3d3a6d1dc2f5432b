# One way to build each kind of part. A layer, a plugin and a test are folders: no list of files is kept anywhere.

set(ENRG_MODULE_DIR ${CMAKE_BINARY_DIR}/modules)
add_custom_target(product) # the program and its modules, without tests

add_library(enrg_flags INTERFACE)
target_compile_options(enrg_flags INTERFACE
  $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wswitch-enum>
  -fno-omit-frame-pointer)
target_compile_definitions(enrg_flags INTERFACE _GNU_SOURCE)
target_include_directories(enrg_flags INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
if(ENRG_WERROR)
  target_compile_options(enrg_flags INTERFACE $<$<COMPILE_LANGUAGE:C>:-Werror>)
endif()
set(enrg_is_sanitized OFF)
if(ENRG_SANITIZE)
  set(enrg_is_sanitized ON)
  add_compile_options(-fsanitize=${ENRG_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ENRG_SANITIZE})
  if(CMAKE_C_COMPILER_ID STREQUAL GNU)
    # gcc's manual: what the sanitizers insert makes these two name what is no fault. The other builds have them on.
    set(enrg_sanitizer_flags $<$<COMPILE_LANGUAGE:C>:-Wno-maybe-uninitialized> $<$<COMPILE_LANGUAGE:C>:-Wno-format-truncation>)
    target_compile_options(enrg_flags INTERFACE ${enrg_sanitizer_flags})
  endif()
  if(ENRG_SANITIZE MATCHES thread AND CMAKE_C_COMPILER_ID STREQUAL GNU)
    add_compile_options(-Wno-tsan) # fences order memory between processes, which the sanitizer does not see anyway
  endif()
endif()
if(ENRG_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# enrg_layer(base LIBS Threads::Threads FOLDERS …): src/base/*.c without *_test.c, and that of its folders, is the static library
# enrg_base; every src/base/NOUN_test.c is the test base.NOUN, linked with nothing above its layer, src/base/ROOM/NOUN_test.c is
# base.ROOM.NOUN, and src/base/ROOM/ROOM_test.c base.ROOM.
function(enrg_layer name)
  cmake_parse_arguments(A "" "" "LIBS;FOLDERS" ${ARGN})
  set(patterns *.c *.cpp)
  foreach(folder ${A_FOLDERS})
    list(APPEND patterns ${folder}/*.c)
  endforeach()
  file(GLOB sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} ${patterns})
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.c$")
  list(FILTER tests INCLUDE REGEX "_test\\.c$")
  add_library(enrg_${name} STATIC ${sources})
  target_link_libraries(enrg_${name} PUBLIC enrg_flags ${A_LIBS})
  set_property(GLOBAL APPEND PROPERTY enrg_layers enrg_${name})
  # Links only where all that the layer calls lies in what it links.
  add_executable(links_${name} ${PROJECT_SOURCE_DIR}/tests/rooms/nothing.c)
  set_target_properties(links_${name} PROPERTIES EXCLUDE_FROM_ALL ${enrg_is_sanitized}) # once is enough
  target_link_libraries(links_${name} PRIVATE $<LINK_LIBRARY:WHOLE_ARCHIVE,enrg_${name}>)
  set_target_properties(links_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/rooms)
  add_custom_target(tests_${name}) # the tests of this layer and what they need, nothing else
  string(REPLACE "_" "." layer ${name})
  foreach(test ${tests})
    get_filename_component(folder ${test} DIRECTORY)
    get_filename_component(noun ${test} NAME_WE)
    string(REGEX REPLACE "_test$" "" noun ${noun})
    if("${layer}.${folder}" MATCHES "\\.${noun}\\.?$") # the test of the room's own noun
      string(REGEX REPLACE "\\.$" "" noun "${layer}.${folder}")
    elseif(folder)
      set(noun ${layer}.${folder}.${noun})
    else()
      set(noun ${layer}.${noun})
    endif()
    enrg_test(${noun} SOURCES ${test} LIBS enrg_${name})
    string(REPLACE "." "_" target test_${noun})
    add_dependencies(tests_${name} ${target})
  endforeach()
endfunction()

# Keeps every enrg_… function in a program that loads modules: a module may call also those that the program does not.
set(enrg_exported enrg_client enrg_job_processor enrg_job_source enrg_job_store enrg_job_file enrg_handover enrg_arrow enrg_base)
function(enrg_export_all target)
  set(layers ${enrg_exported})
  set(archives "")
  foreach(layer ${layers})
    list(APPEND archives $<TARGET_FILE:${layer}>)
  endforeach()
  target_link_libraries(${target} PRIVATE ${layers})
  target_link_options(${target} PRIVATE -Wl,--whole-archive ${archives} -Wl,--no-whole-archive)
  set_property(TARGET ${target} PROPERTY ENABLE_EXPORTS ON)
endfunction()

# enrg_test(plane.stream SOURCES … LIBS …): a cmocka program and its entry in CTest. Exports its symbols, so that modules
# that it loads find the framework.
function(enrg_test name)
  cmake_parse_arguments(A "" "TIMEOUT" "SOURCES;LIBS" ${ARGN})
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 300) # a busy machine is not a hang
  endif()
  string(REPLACE "." "_" target test_${name})
  add_executable(${target} ${A_SOURCES})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests) # fixtures/
  target_link_libraries(${target} PRIVATE enrg_flags ${A_LIBS} PkgConfig::CMOCKA m)
  target_compile_definitions(${target} PRIVATE
    ENRG_SOURCE_DIR="${PROJECT_SOURCE_DIR}" ENRG_BINARY_DIR="${PROJECT_BINARY_DIR}")
  set_target_properties(${target} PROPERTIES ENABLE_EXPORTS ON RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${target})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${A_TIMEOUT}
    ENVIRONMENT "ENRGDAQ_MODULE_PATH=${ENRG_MODULE_DIR};ENRGDAQ_BIN=$<TARGET_FILE:enrgdaq>")
endfunction()

set(enrg_plugin_flags -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wswitch-enum -fno-omit-frame-pointer ${enrg_sanitizer_flags})
if(ENRG_WERROR)
  list(APPEND enrg_plugin_flags -Werror)
endif()

# enrg_plugin(csv LIBS …): the module of the folder that the caller's CMakeLists.txt stands in. It sees include/ alone. Each file
# is compiled once: what a test beside it calls it takes from the archive inside_csv.
function(enrg_plugin name)
  cmake_parse_arguments(A "" "" "LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.c)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.c$")
  list(FILTER tests INCLUDE REGEX "_test\\.c$")
  add_library(objects_${name} OBJECT ${sources})
  target_include_directories(objects_${name} PRIVATE ${PROJECT_SOURCE_DIR}/include)
  target_compile_definitions(objects_${name} PRIVATE _GNU_SOURCE $<TARGET_PROPERTY:module_${name},COMPILE_DEFINITIONS>)
  target_compile_options(objects_${name} PRIVATE ${enrg_plugin_flags})
  target_link_libraries(objects_${name} PRIVATE ${A_LIBS})
  add_library(inside_${name} STATIC $<TARGET_OBJECTS:objects_${name}>)
  add_library(module_${name} MODULE $<TARGET_OBJECTS:objects_${name}>)
  target_link_libraries(module_${name} PRIVATE ${A_LIBS} m)
  set_target_properties(module_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name} LINKER_LANGUAGE C
    LIBRARY_OUTPUT_DIRECTORY ${ENRG_MODULE_DIR})
  set_target_properties(inside_${name} PROPERTIES LINKER_LANGUAGE C)
  add_dependencies(product module_${name})
  set_property(GLOBAL APPEND PROPERTY enrg_modules module_${name})
  install(TARGETS module_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/enrgdaq/modules)
  foreach(test ${tests})
    get_filename_component(noun ${test} NAME_WE)
    string(REGEX REPLACE "_test$" "" noun ${noun})
    enrg_test(plugin.${noun} SOURCES ${test} LIBS inside_${name} enrg_job ${A_LIBS})
    enrg_export_all(test_plugin_${noun})
    add_dependencies(test_plugin_${noun} module_${name})
  endforeach()
endfunction()

# enrg_plugin_part(sql): the folder as the static library part_sql, for the plugins that name it in LIBS; their files include
# "sql/NOUN.h". As a plugin it sees include/ alone.
function(enrg_plugin_part name)
  file(GLOB sources CONFIGURE_DEPENDS *.c)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.c$")
  list(FILTER tests INCLUDE REGEX "_test\\.c$")
  add_library(part_${name} STATIC ${sources})
  target_include_directories(part_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/plugins/shared)
  target_compile_definitions(part_${name} PRIVATE _GNU_SOURCE)
  target_compile_options(part_${name} PRIVATE ${enrg_plugin_flags})
  foreach(test ${tests})
    get_filename_component(noun ${test} NAME_WE)
    string(REGEX REPLACE "_test$" "" noun ${noun})
    enrg_test(plugin.${noun} SOURCES ${test} LIBS part_${name} enrg_job)
    enrg_export_all(test_plugin_${noun})
  endforeach()
endfunction()

# enrg_cases(system smoke.sh TIMEOUT 240 ENVIRONMENT …): each function case_NAME of the script is the test system.NAME,
# which is skipped where it ends with 77. The script sources tests/system/harness.sh.
function(enrg_cases prefix script)
  cmake_parse_arguments(A "" "TIMEOUT" "ENVIRONMENT" ${ARGN})
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 120)
  endif()
  file(STRINGS ${script} cases REGEX "^case_[a-z0-9_]+\\(\\)")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${script})
  foreach(case ${cases})
    string(REGEX REPLACE "^case_([a-z0-9_]+).*" "\\1" case "${case}")
    add_test(NAME ${prefix}.${case} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${case})
    set_tests_properties(${prefix}.${case} PROPERTIES TIMEOUT ${A_TIMEOUT} SKIP_RETURN_CODE 77
      ENVIRONMENT "ENRGDAQ_MODULE_PATH=${ENRG_MODULE_DIR};ENRGDAQ_BIN=$<TARGET_FILE:enrgdaq>;${A_ENVIRONMENT}")
  endforeach()
endfunction()

# enrg_takes_a_core(plane.stream …): these entries compute as long as they last. CTest gives each two of its places and starts
# them first; all others mostly wait, so that scripts/test.sh has twice as many places as there are cores. Called in the
# folder of the test.
function(enrg_takes_a_core)
  foreach(test ${ARGN})
    if(TEST ${test})
      set_tests_properties(${test} PROPERTIES PROCESSORS 2 COST 50)
    endif()
  endforeach()
endfunction()

# enrg_takes_long(job.store …): these wait for long, and would end last if they did not begin first.
function(enrg_takes_long)
  foreach(test ${ARGN})
    if(TEST ${test})
      set_tests_properties(${test} PROPERTIES COST 100)
    endif()
  endforeach()
endfunction()
