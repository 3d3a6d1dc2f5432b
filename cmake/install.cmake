# What `make install` and the packages hold. pkg-config and CMake find their prefix from where their files lie, so that the
# prefix may be chosen at the install.
include(CMakePackageConfigHelpers)
set(ENRG_MODULES ${CMAKE_INSTALL_LIBDIR}/enrgdaq/modules)
set(ENRG_PACKAGE ${CMAKE_INSTALL_LIBDIR}/cmake/enrgdaq)
file(RELATIVE_PATH ENRG_PC_TO_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" ENRG_PC_TO_PREFIX ${ENRG_PC_TO_PREFIX})

install(TARGETS enrgdaq RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY include/enrgdaq DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
configure_file(cmake/enrgdaq.pc.in enrgdaq.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/enrgdaq.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
configure_package_config_file(cmake/enrgdaqConfig.cmake.in enrgdaqConfig.cmake INSTALL_DESTINATION ${ENRG_PACKAGE}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR ENRG_MODULES)
write_basic_package_version_file(enrgdaqConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/enrgdaqConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/enrgdaqConfigVersion.cmake
  DESTINATION ${ENRG_PACKAGE})
install(DIRECTORY configs/ DESTINATION ${CMAKE_INSTALL_DATADIR}/enrgdaq/configs)
