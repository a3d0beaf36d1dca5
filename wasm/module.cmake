# What the core is built into: the .wasm of the page (Emscripten), the WASI command, and natively the ABI dump and the
# replay that `vitrace replay` links.

# Memory of the page's module: fixed, 64 KiB a page. Ring 129 KiB + inbox 96 KiB + core 80 KiB + stack 16 KiB + tables.
set(VITRACE_WASM_PAGES 6)
set(VITRACE_WASM_STACK 16384)

add_library(vitrace_replay STATIC ${CMAKE_CURRENT_SOURCE_DIR}/replay/replay.c)
target_link_libraries(vitrace_replay PRIVATE vitrace_options PUBLIC vitrace_core)

# Recorded sessions, byte for byte the same beacons from every build of the core: one of most kinds of records, and one of
# soft navigations with long frames (a recording of the conformance corpus). RUN reads the stream on stdin.
set(_golden ${CMAKE_SOURCE_DIR}/tests/golden/replay)
function(vitrace_golden_test NAME)
  foreach(_stream session soft_navigation)
    add_test(NAME ${NAME}_${_stream} COMMAND ${CMAKE_COMMAND} "-DRUN=${ARGN}" -DSTREAM=${_golden}/${_stream}.stream
      -DBEACONS=${_golden}/${_stream}.beacons -DOUTPUT=${CMAKE_BINARY_DIR}/${NAME}_${_stream}.out
      -P ${CMAKE_SOURCE_DIR}/tests/unit/wasm/replay/golden.cmake)
  endforeach()
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
  vitrace_sources_of(_sources vitrace_core vitrace_vitals vitrace_ring vitrace_pack)
  list(FILTER _sources EXCLUDE REGEX "/ring_consumer\\.c$") # the consumer in a page is JS
  set(_wire ids traceparent server_timing writer)
  list(TRANSFORM _wire PREPEND ${CMAKE_SOURCE_DIR}/proto/wire/)
  list(TRANSFORM _wire APPEND .c)
  add_executable(vitrace_wasm ${CMAKE_CURRENT_SOURCE_DIR}/exports.c ${_sources} ${_wire})
  # Of the schema only its header: bounds and enums. The page writes by its own tables and links nothing of nanopb.
  add_dependencies(vitrace_wasm vitrace_schema)
  target_include_directories(vitrace_wasm SYSTEM PRIVATE ${CMAKE_BINARY_DIR}/gen ${VITRACE_NANOPB_DIR})
  target_compile_definitions(vitrace_wasm PRIVATE NDEBUG)
  target_link_libraries(vitrace_wasm PRIVATE vitrace_options)
  # Every word of every entry runs through these: 390 -> 335 ns a resource under Node 20 for 0.1 kB of brotli. The
  # interpreter (shape.c) for speed as well would win some nanoseconds more and cost 1 kB.
  set(_hot ${_sources} ${_wire})
  list(FILTER _hot INCLUDE REGEX "/(writer|inbox_reader|record_phases)\\.c$")
  set_source_files_properties(${_hot} PROPERTIES COMPILE_OPTIONS -O2)
  set(_names ${CMAKE_CURRENT_SOURCE_DIR}/abi/exports.h)
  file(STRINGS ${_names} _exports REGEX "define EXPORT_")
  list(TRANSFORM _exports REPLACE [=[.*"(.+)".*]=] [=[\1]=])
  # Whatever emcc exports beside ours (its stack, its table, errno) goes, and what only that used.
  list(TRANSFORM _exports REPLACE "(.+)" [=[,{"name":"\1","export":"\1"}]=] OUTPUT_VARIABLE _leaves)
  list(TRANSFORM _exports REPLACE "(.+)" [=["\1"]=] OUTPUT_VARIABLE _roots)
  list(JOIN _roots "," _roots)
  list(JOIN _leaves "" _leaves)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/gen/exports.json
    CONTENT [=[[{"name":"page","root":true,"reaches":[@_roots@]}@_leaves@]]=] @ONLY)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${_names})
  math(EXPR _memory "${VITRACE_WASM_PAGES} * 65536")
  # emcc turns inlining off at -Oz, which costs 0.6 kB and 150 ns an entry; a call is priced at 10 instead of LLVM's 25,
  # which is nearer to what it takes in Wasm. Baseline: browsers of 2021 (Safari 15).
  set(_machine -Oz -flto -matomics -mbulk-memory -mnontrapping-fptoint -msign-ext)
  # Where that is still wrong, a list says which functions stay functions: 0.25 kB, found by trying each. Those that every
  # word of an entry runs through (inbox_record_ms, writer_varint, mix) would win 0.07 kB more and cost 20 % of the time.
  file(STRINGS ${CMAKE_CURRENT_SOURCE_DIR}/shared.txt _shared)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/shared.txt)
  set(_inlining -inline-call-penalty=10)
  set(_text)
  foreach(_source ${_sources} ${_wire})
    file(READ ${_source} _file)
    string(APPEND _text "${_file}")
  endforeach()
  foreach(_function ${_shared})
    string(FIND "${_text}" " ${_function}(" _at)
    if(_at EQUAL -1)
      message(FATAL_ERROR "wasm/shared.txt: there is no function ${_function}")
    endif()
    list(APPEND _inlining -force-attribute=${_function}:noinline)
  endforeach()
  list(TRANSFORM _inlining PREPEND "SHELL:-mllvm " OUTPUT_VARIABLE _inlining_compiled)
  list(TRANSFORM _inlining PREPEND -Wl,-mllvm, OUTPUT_VARIABLE _inlining_linked)
  target_compile_options(vitrace_wasm PRIVATE ${_machine} -finline-functions ${_inlining_compiled})
  target_link_options(vitrace_wasm PRIVATE ${_machine} ${_inlining_linked} --no-entry -sSTANDALONE_WASM
    -sIMPORTED_MEMORY=1 -Wl,--shared-memory -sALLOW_MEMORY_GROWTH=0 -sMALLOC=none -sFILESYSTEM=0
    -sTOTAL_STACK=${VITRACE_WASM_STACK} -sINITIAL_MEMORY=${_memory})
  set_target_properties(vitrace_wasm PROPERTIES OUTPUT_NAME vitrace SUFFIX .wasm
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  find_program(WASM_OPT wasm-opt REQUIRED)
  find_program(WASM_METADCE wasm-metadce REQUIRED)
  set(_features --enable-threads --enable-bulk-memory --enable-nontrapping-float-to-int --enable-sign-ext
    --enable-mutable-globals)
  # A second round over a flat form finds 0.2 kB more than emcc's own -Oz.
  add_custom_command(TARGET vitrace_wasm POST_BUILD
    COMMAND ${WASM_METADCE} ${_features} $<TARGET_FILE:vitrace_wasm> --graph-file ${CMAKE_BINARY_DIR}/gen/exports.json
      -o ${CMAKE_BINARY_DIR}/vitrace.reached.wasm > ${CMAKE_BINARY_DIR}/vitrace.unused.txt
    COMMAND ${WASM_OPT} ${_features} --flatten --rereloop -Oz -Oz --converge ${CMAKE_BINARY_DIR}/vitrace.reached.wasm
      -o $<TARGET_FILE:vitrace_wasm>
    VERBATIM)
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
