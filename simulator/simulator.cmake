# The simulator in place of the CUDA runtime (see README.md here): `cmake -D ALEXNET_SIMULATOR=ON`, or npm run
# build:simulated. Development only.
option(ALEXNET_SIMULATOR "Build for simulated GPUs: the simulator takes the place of the CUDA runtime" OFF)

# The library that stands in for the CUDA runtime. Floating-point results must be the PTX's: no contraction.
function(alexnet_add_simulator)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/simulator/*.cc)
  add_library(alexnet_simulator STATIC ${sources})
  target_include_directories(alexnet_simulator SYSTEM PRIVATE ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
  target_compile_options(alexnet_simulator PRIVATE -O3 -march=native -ffp-contract=off -fno-math-errno
                         -fno-strict-aliasing -Wall -Wextra -Wshadow)
  set_source_files_properties(${CMAKE_SOURCE_DIR}/simulator/instructions/rounding.cc PROPERTIES COMPILE_OPTIONS
                              "-O1;-frounding-math")
endfunction()

# Compiles the CUDA sources of `target` to PTX that the simulator reads, and links the simulator.
function(alexnet_simulate target)
  alexnet_add_simulator()
  set_target_properties(${target} PROPERTIES CUDA_RUNTIME_LIBRARY None CUDA_ARCHITECTURES "75-virtual;80-virtual")
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:-lineinfo;--no-compress>")
  target_link_libraries(${target} PRIVATE alexnet_simulator)
endfunction()
