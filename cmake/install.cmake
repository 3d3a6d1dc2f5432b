# What `make install` and the packages hold. pkg-config and CMake find their prefix from where their files lie, so that the
# prefix may be chosen at the install.
include(CMakePackageConfigHelpers)
set(ENRG_MODULES ${CMAKE_INSTALL_LIBDIR}/enrgdaq/modules)
set(ENRG_PACKAGE ${CMAKE_INSTALL_LIBDIR}/cmake/enrgdaq)
file(RELATIVE_PATH ENRG_PC_TO_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" ENRG_PC_TO_PREFIX ${ENRG_PC_TO_PREFIX})

install(TARGETS enrgdaq RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS enrgdaq_library LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/enrgdaq DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
configure_file(cmake/enrgdaq.pc.in enrgdaq.pc @ONLY)
configure_file(cmake/enrgdaq-kit.pc.in enrgdaq-kit.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/enrgdaq.pc ${CMAKE_CURRENT_BINARY_DIR}/enrgdaq-kit.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
configure_package_config_file(cmake/enrgdaqConfig.cmake.in enrgdaqConfig.cmake INSTALL_DESTINATION ${ENRG_PACKAGE}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR ENRG_MODULES)
write_basic_package_version_file(enrgdaqConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/enrgdaqConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/enrgdaqConfigVersion.cmake
  DESTINATION ${ENRG_PACKAGE})
install(DIRECTORY configs/ DESTINATION ${CMAKE_INSTALL_DATADIR}/enrgdaq/configs)

# Manual pages and completion, from what the built program says of itself.
get_property(modules GLOBAL PROPERTY enrg_modules)
set(pages ${CMAKE_BINARY_DIR}/pages)
add_custom_command(OUTPUT ${pages}/made
  COMMAND ${CMAKE_COMMAND} -E env ENRGDAQ_MODULE_PATH=${ENRG_MODULE_DIR}
    ${PROJECT_SOURCE_DIR}/scripts/make-pages.sh ${pages} ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:enrgdaq>
  COMMAND ${CMAKE_COMMAND} -E touch ${pages}/made
  DEPENDS enrgdaq ${modules} ${PROJECT_SOURCE_DIR}/scripts/make-pages.sh VERBATIM)
if(ENRG_SANITIZE)
  add_custom_target(pages DEPENDS ${pages}/made)
else()
  add_custom_target(pages ALL DEPENDS ${pages}/made)
endif()
install(DIRECTORY ${pages}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 OPTIONAL FILES_MATCHING PATTERN "*.1")
install(DIRECTORY ${pages}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man5 OPTIONAL FILES_MATCHING PATTERN "*.5")
install(DIRECTORY ${pages}/bash/ DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions OPTIONAL)
install(DIRECTORY ${pages}/zsh/ DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions OPTIONAL)
install(DIRECTORY ${pages}/fish/ DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d OPTIONAL)

# The unit names the program of the prefix; systemd looks below /usr and /usr/local.
install(CODE "
  file(READ \"${PROJECT_SOURCE_DIR}/packaging/enrgdaq@.service\" unit)
  string(REPLACE \"/usr/bin/enrgdaq\" \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/enrgdaq\" unit \"\${unit}\")
  set(folder \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/lib/systemd/system\")
  file(WRITE \"\${folder}/enrgdaq@.service\" \"\${unit}\")
  message(STATUS \"Installing: \${folder}/enrgdaq@.service\")")
