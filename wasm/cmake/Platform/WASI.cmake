# CMake 3.25 does not know WASI yet. A platform file is all it asks for; programs need nothing beyond the defaults.
set(WASI 1)
