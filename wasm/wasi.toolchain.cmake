# WASI with Debian's parts of it (clang, lld, wasi-libc, libclang-rt-*-dev-wasm32), or with a wasi-sdk at WASI_SDK_PATH.
set(CMAKE_SYSTEM_NAME WASI)
set(CMAKE_SYSTEM_VERSION 1)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(CMAKE_C_COMPILER_TARGET wasm32-wasi)

if(DEFINED ENV{WASI_SDK_PATH})
  set(CMAKE_C_COMPILER $ENV{WASI_SDK_PATH}/bin/clang)
  set(CMAKE_SYSROOT $ENV{WASI_SDK_PATH}/share/wasi-sysroot)
else()
  # Debian keeps the headers apart from the libraries, so that one --sysroot does not find both.
  set(CMAKE_C_COMPILER clang)
  set(CMAKE_SYSROOT /usr)
  set(CMAKE_C_FLAGS_INIT "-isystem /usr/include/wasm32-wasi")
endif()

# The archiver must be LLVM's: GNU ar makes no index of Wasm objects. clang knows where its own stands.
foreach(_tool ar ranlib)
  string(TOUPPER ${_tool} _variable)
  execute_process(COMMAND ${CMAKE_C_COMPILER} -print-prog-name=llvm-${_tool}
    OUTPUT_VARIABLE CMAKE_${_variable} OUTPUT_STRIP_TRAILING_WHITESPACE)
  set(CMAKE_${_variable} ${CMAKE_${_variable}} CACHE FILEPATH "")
endforeach()

list(APPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR}/cmake)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_EXECUTABLE_SUFFIX .wasm)
