# The binary: the stages above, bound together by app.c.
find_package(PkgConfig REQUIRED)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
add_subdirectory(assets)
add_subdirectory(health)
add_subdirectory(sandbox)

vitrace_module(vt_config SOURCES config.c config_file.c LINKS vt_auth vt_ingest vt_base PkgConfig::YAML)
add_subdirectory(command)

set(_app_stages vt_config vt_auth vt_sandbox vt_assets vt_health vt_command vt_ingest vt_grpc vt_otlp vt_log vt_join vt_store vt_sinks vt_query vt_api vt_dashboard
  vt_net vt_stream vt_base)
add_executable(vitrace main.c app.c app_assets.c app_capacity.c app_lock.c app_notify.c app_sandbox.c app_sockets.c app_tls.c command/command_serve.c)
target_compile_definitions(vitrace PRIVATE VITRACE_SDK_BUILD_DIR="${CMAKE_SOURCE_DIR}/js-glue/dist")
target_link_libraries(vitrace PRIVATE vitrace_options ${_app_stages})
set_target_properties(vitrace PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
install(TARGETS vitrace RUNTIME DESTINATION bin)

# tests/CMakeLists.txt adds the folders of stages; the program is none, so its own tests are added from here.
if(VITRACE_TESTS)
  add_subdirectory(${CMAKE_SOURCE_DIR}/tests/unit/collector/health ${CMAKE_BINARY_DIR}/tests/unit/collector/health)
  add_subdirectory(${CMAKE_SOURCE_DIR}/tests/unit/collector/sandbox ${CMAKE_BINARY_DIR}/tests/unit/collector/sandbox)
  add_subdirectory(${CMAKE_SOURCE_DIR}/tests/unit/collector/program ${CMAKE_BINARY_DIR}/tests/unit/collector/program)
endif()

# What a package puts beside the binary; the unit expects it in /usr/bin.
install(FILES packaging/vitrace.service packaging/vitrace.socket packaging/vitrace-otlp-http.socket packaging/vitrace-otlp-grpc.socket
  DESTINATION lib/systemd/system)
install(FILES packaging/vitrace.sysusers DESTINATION lib/sysusers.d RENAME vitrace.conf)
install(FILES packaging/vitrace.yaml api/openapi.json DESTINATION share/doc/vitrace)
install(FILES packaging/prometheus/alerts.yaml packaging/prometheus/prometheus.yaml packaging/prometheus/grafana.json
  DESTINATION share/doc/vitrace/prometheus)
