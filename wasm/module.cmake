# What the core is built into: the .wasm of the page (Emscripten), the WASI command, and natively the ABI dump and the
# replay that `vitrace replay` links.

# Memory of the page's module: fixed, 64 KiB a page. Ring 129 KiB + inbox 96 KiB + core 64 KiB + stack 16 KiB + tables.
set(VITRACE_WASM_PAGES 5)
set(VITRACE_WASM_STACK 16384)

add_library(vitrace_replay STATIC ${CMAKE_CURRENT_SOURCE_DIR}/replay/replay.c)
target_link_libraries(vitrace_replay PRIVATE vitrace_options PUBLIC vitrace_core)

# One recorded session, byte for byte the same beacons from every build of the core. RUN reads the stream on stdin.
set(_golden ${CMAKE_SOURCE_DIR}/tests/golden/replay/session)
function(vitrace_golden_test NAME)
  add_test(NAME ${NAME} COMMAND ${CMAKE_COMMAND} "-DRUN=${ARGN}" -DSTREAM=${_golden}.stream -DBEACONS=${_golden}.beacons
    -DOUTPUT=${CMAKE_BINARY_DIR}/${NAME}.out -P ${CMAKE_SOURCE_DIR}/tests/unit/wasm/replay/golden.cmake)
endfunction()

# Every source of a module of ours, with its path.
function(vitrace_sources_of OUT)
  set(_all)
  foreach(_module ${ARGN})
    get_target_property(_sources ${_module} SOURCES)
    get_target_property(_folder ${_module} SOURCE_DIR)
    foreach(_source ${_sources})
      cmake_path(ABSOLUTE_PATH _source BASE_DIRECTORY ${_folder})
      list(APPEND _all ${_source})
    endforeach()
  endforeach()
  set(${OUT} ${_all} PARENT_SCOPE)
endfunction()

if(EMSCRIPTEN)
  # Compiled apart from the static libraries, which the tests use without shared memory: everything that is linked with
  # --shared-memory must have been compiled with -matomics. No assertions here: a page is never trapped by us.
  vitrace_sources_of(_sources vitrace_core vitrace_vitals vitrace_ring)
  list(FILTER _sources EXCLUDE REGEX "/ring_consumer\\.c$") # the consumer in a page is JS
  set(_wire ids traceparent server_timing beacon_encode)
  list(TRANSFORM _wire PREPEND ${CMAKE_SOURCE_DIR}/proto/wire/)
  list(TRANSFORM _wire APPEND .c)
  add_executable(vitrace_wasm ${CMAKE_CURRENT_SOURCE_DIR}/exports.c ${_sources} ${_wire}
    ${CMAKE_BINARY_DIR}/gen/vitrace/v1/beacon.pb.c ${VITRACE_NANOPB_DIR}/pb_common.c ${VITRACE_NANOPB_DIR}/pb_encode.c)
  set_source_files_properties(${CMAKE_BINARY_DIR}/gen/vitrace/v1/beacon.pb.c PROPERTIES GENERATED ON)
  add_dependencies(vitrace_wasm vitrace_schema)
  target_include_directories(vitrace_wasm SYSTEM PRIVATE ${CMAKE_BINARY_DIR}/gen ${VITRACE_NANOPB_DIR})
  target_compile_definitions(vitrace_wasm PRIVATE NDEBUG PB_NO_ERRMSG PB_BUFFER_ONLY)
  target_link_libraries(vitrace_wasm PRIVATE vitrace_options)
  # What every resource entry runs through is built for speed: 575 -> 310 ns an entry under Node 20 for 9.8 KB more raw,
  # 1.2 KB more brotli. Everything for speed would be 290 ns and 4.8 KB more brotli.
  set(_hot ${_sources} ${_wire})
  list(FILTER _hot INCLUDE REGEX
    "/(inbox_reader|record_resource|record_phases|beacon_encode|segment|text_hash|utf8|scrub|dictionary|vitals_lcp)\\.c$")
  set_source_files_properties(${_hot} PROPERTIES COMPILE_OPTIONS "-O2;-finline-functions") # emcc turns it off at -Oz
  file(STRINGS ${CMAKE_CURRENT_SOURCE_DIR}/exports.txt _exports)
  list(TRANSFORM _exports PREPEND -Wl,--export=)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/exports.txt)
  math(EXPR _memory "${VITRACE_WASM_PAGES} * 65536")
  target_compile_options(vitrace_wasm PRIVATE -Oz -flto -matomics -mbulk-memory)
  target_link_options(vitrace_wasm PRIVATE -Oz -flto -matomics -mbulk-memory --no-entry -sSTANDALONE_WASM
    -sIMPORTED_MEMORY=1 -Wl,--shared-memory -sALLOW_MEMORY_GROWTH=0 -sMALLOC=none -sFILESYSTEM=0
    -sTOTAL_STACK=${VITRACE_WASM_STACK} -sINITIAL_MEMORY=${_memory} ${_exports})
  set_target_properties(vitrace_wasm PROPERTIES OUTPUT_NAME vitrace SUFFIX .wasm
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  vitrace_golden_test(module_golden node ${CMAKE_SOURCE_DIR}/tests/unit/wasm/replay/module_run.mjs
    $<TARGET_FILE:vitrace_wasm> ${CMAKE_SOURCE_DIR}/js-glue/src/abi.ts)
elseif(CMAKE_SYSTEM_NAME STREQUAL "WASI")
  add_executable(vitrace_core_command ${CMAKE_CURRENT_SOURCE_DIR}/replay/replay_main.c)
  target_link_libraries(vitrace_core_command PRIVATE vitrace_options vitrace_replay)
  set_target_properties(vitrace_core_command PROPERTIES OUTPUT_NAME vitrace-core SUFFIX .wasm
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  vitrace_golden_test(command_golden node --no-warnings ${CMAKE_SOURCE_DIR}/tests/unit/wasm/replay/wasi_run.mjs
    $<TARGET_FILE:vitrace_core_command>)
else()
  # The same command natively, to compare the bytes of two compilers.
  add_executable(vitrace_core_command ${CMAKE_CURRENT_SOURCE_DIR}/replay/replay_main.c)
  target_link_libraries(vitrace_core_command PRIVATE vitrace_options vitrace_replay)
  set_target_properties(vitrace_core_command PROPERTIES OUTPUT_NAME vitrace-core RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})

  add_executable(abi_dump ${CMAKE_CURRENT_SOURCE_DIR}/abi/abi_dump.c)
  target_link_libraries(abi_dump PRIVATE vitrace_options vitrace_core)
  target_compile_definitions(abi_dump PRIVATE VITRACE_WASM_PAGES=${VITRACE_WASM_PAGES})
  set(_abi ${CMAKE_BINARY_DIR}/gen/abi.ts)
  set(_abi_committed ${CMAKE_SOURCE_DIR}/js-glue/src/abi.ts)
  add_custom_command(OUTPUT ${_abi} COMMAND abi_dump > ${_abi} DEPENDS abi_dump VERBATIM)
  add_custom_target(abi_generated ALL DEPENDS ${_abi})
  add_custom_target(abi COMMAND ${CMAKE_COMMAND} -E copy ${_abi} ${_abi_committed} DEPENDS ${_abi})
  vitrace_golden_test(command_golden $<TARGET_FILE:vitrace_core_command>)
  if(VITRACE_TESTS)
    add_test(NAME abi_ts_is_fresh COMMAND ${CMAKE_COMMAND} -E compare_files ${_abi} ${_abi_committed})
  endif()
endif()
