# Builds for `npm run test:asan`, `test:tsan` and `test:asan-simulated`: -D ALEXNET_SANITIZE=address (with undefined
# behaviour) or thread. Development only.
set(ALEXNET_SANITIZE "" CACHE STRING "Instrument the addon's C++: 'address', 'thread', or empty for neither")

# Adds the sanitizer to `target`. The standard library stays shared, unlike in a release: the sanitizers replace some of
# its functions (__cxa_throw, operator new), which they can only where the linker finds them by name.
function(alexnet_instrument target)
  set(flags -fsanitize=${ALEXNET_SANITIZE})
  if(ALEXNET_SANITIZE STREQUAL "address")
    set(flags -fsanitize=address -fsanitize=undefined)
    # The shared library would leave log_path to the address sanitizer's, and write to stderr.
    target_link_options(${target} PRIVATE -static-libubsan)
  endif()
  list(APPEND compiling ${flags} -g -fno-omit-frame-pointer)
  if(NOT target STREQUAL "alexnet_simulator") # an interpreter, slow enough with its -O3
    list(APPEND compiling -O1)
  endif()
  list(TRANSFORM compiling PREPEND "-Xcompiler=" OUTPUT_VARIABLE compiling_host)
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${compiling}>"
                                           "$<$<COMPILE_LANGUAGE:CUDA>:${compiling_host}>")
  target_link_options(${target} PRIVATE ${flags})
endfunction()

# The addon whose mistakes every run must report before it is believed (run.cjs).
function(alexnet_add_mistakes)
  # Its loops run on our threads, which are instrumented, as GCC's OpenMP library is not.
  add_library(mistakes SHARED ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/mistakes.cc cpu/openmp.cc cpu/threads.cc cpu/cgroup.cc)
  set_target_properties(mistakes PROPERTIES PREFIX "" SUFFIX ".node")
  target_link_options(mistakes PRIVATE -Wl,--version-script=${CMAKE_SOURCE_DIR}/binding/exports.map)
  target_include_directories(mistakes SYSTEM PRIVATE ${CMAKE_JS_INC})
  target_link_libraries(mistakes PRIVATE OpenMP::OpenMP_CXX Threads::Threads)
  alexnet_instrument(mistakes)
endfunction()

function(alexnet_sanitize target)
  alexnet_instrument(${target})
  if(TARGET alexnet_simulator)
    alexnet_instrument(alexnet_simulator)
  endif()
  alexnet_add_mistakes()
endfunction()
