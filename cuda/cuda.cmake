# Decides whether the addon gets its CUDA part, and adds it. Never fails for want of CUDA: without an nvcc that works the
# addon is built for the CPU alone, and says so.
#   -D ALEXNET_CUDA=OFF                   builds for the CPU alone
#   -D ALEXNET_CUDA_ARCHITECTURES=<list>  or the environment variable of that name: "release" for every GPU that the
#                                         compiler knows, or a list as CMake takes it: "90", "75;90". Without it: this
#                                         machine's GPUs, or 80 where there is none
#   CUDACXX, CUDA_HOME, CUDA_PATH         environment: where nvcc is, if not on PATH or in /usr/local/cuda
#   CUDAFLAGS                             environment: further flags on the first configuration, such as "-Xptxas -v"
option(ALEXNET_CUDA "Build the CUDA part where there is an nvcc that works" ON)
set(ALEXNET_CUDA_ARCHITECTURES "$ENV{ALEXNET_CUDA_ARCHITECTURES}" CACHE STRING
    "GPU architectures: 'release', or a list as CMAKE_CUDA_ARCHITECTURES takes it")

# Sets `result` to the path of an nvcc that compiles, or to a false value after saying why there is none.
function(alexnet_find_nvcc result)
  set(${result} FALSE PARENT_SCOPE)
  if(NOT ALEXNET_CUDA)
    message(STATUS "CUDA: off (ALEXNET_CUDA=OFF). Building for the CPU only.")
    return()
  endif()
  unset(ALEXNET_NVCC CACHE) # look again: a toolkit may have been installed since
  if(DEFINED ENV{CUDACXX})
    set(ALEXNET_NVCC "$ENV{CUDACXX}")
  else()
    find_program(ALEXNET_NVCC nvcc PATHS ENV CUDA_HOME ENV CUDA_PATH /usr/local/cuda PATH_SUFFIXES bin)
    mark_as_advanced(ALEXNET_NVCC)
  endif()
  if(NOT ALEXNET_NVCC)
    message(STATUS "CUDA: no nvcc on PATH, in CUDA_HOME or in /usr/local/cuda. Building for the CPU only.")
    return()
  endif()
  # check_language tries the compiler in a project of its own; naming it in CMAKE_CUDA_COMPILER instead would make a
  # broken one fatal. It remembers a failure, which must not outlive the failure.
  set(ENV{CUDACXX} "${ALEXNET_NVCC}")
  if(NOT CMAKE_CUDA_COMPILER)
    unset(CMAKE_CUDA_COMPILER CACHE)
  endif()
  include(CheckLanguage)
  check_language(CUDA)
  if(NOT CMAKE_CUDA_COMPILER)
    message(STATUS "CUDA: ${ALEXNET_NVCC} does not compile (see the logs in CMakeFiles). Building for the CPU only.")
    return()
  endif()
  set(${result} "${ALEXNET_NVCC}" PARENT_SCOPE)
endfunction()

# Sets `result` to the architectures of the GPUs that this machine's driver sees, as far as the compiler knows them. CMake
# has "native" for this from 3.24 on, and fails with it where there is no GPU.
function(alexnet_gpus_here result)
  execute_process(COMMAND nvidia-smi --query-gpu=compute_cap --format=csv,noheader
                  OUTPUT_VARIABLE seen ERROR_QUIET RESULT_VARIABLE status)
  execute_process(COMMAND ${CMAKE_CUDA_COMPILER} --list-gpu-code OUTPUT_VARIABLE known ERROR_QUIET)
  set(here)
  if(status EQUAL 0)
    string(REGEX MATCHALL "[0-9]+\\.[0-9]+" capabilities "${seen}")
    list(REMOVE_DUPLICATES capabilities)
    foreach(capability ${capabilities})
      string(REPLACE "." "" name ${capability})
      if(known MATCHES "sm_${name}\n")
        list(APPEND here ${name})
      endif()
    endforeach()
  endif()
  set(${result} ${here} PARENT_SCOPE)
endfunction()

# Sets `result` to the architectures to compile for. "-real" is machine code alone; without it PTX comes along, which
# newer GPUs compile for themselves.
function(alexnet_cuda_architectures result)
  if(NOT ALEXNET_CUDA_ARCHITECTURES)
    alexnet_gpus_here(architectures)
    if(NOT architectures)
      set(architectures 80)
    endif()
  elseif(NOT ALEXNET_CUDA_ARCHITECTURES STREQUAL "release")
    set(architectures ${ALEXNET_CUDA_ARCHITECTURES})
  elseif(CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 12.8)
    set(architectures 75-real 80 86-real 89-real 90-real 100-real 120) # 80 has PTX too: 11.0 compiles that for itself
  else()
    set(architectures 75-real 80-real 86-real 89-real 90)
  endif()
  set(${result} ${architectures} PARENT_SCOPE)
endfunction()

alexnet_find_nvcc(ALEXNET_CUDA_FOUND)
if(ALEXNET_CUDA_FOUND)
  enable_language(CUDA)
  if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 11.8)
    message(STATUS "CUDA: ${ALEXNET_CUDA_FOUND} is version ${CMAKE_CUDA_COMPILER_VERSION}, 11.8 or newer is needed. "
                   "Building for the CPU only.")
    set(ALEXNET_CUDA_FOUND FALSE)
  else()
    alexnet_cuda_architectures(CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_STANDARD 17)
    set(CMAKE_CUDA_STANDARD_REQUIRED ON)
    set(CMAKE_CUDA_EXTENSIONS OFF)
    set(CMAKE_CUDA_VISIBILITY_PRESET hidden)
    message(STATUS "CUDA: ${ALEXNET_CUDA_FOUND} ${CMAKE_CUDA_COMPILER_VERSION} for ${CMAKE_CUDA_ARCHITECTURES}")
  endif()
endif()

# Sets `result` to what these architectures are compiled to, in words: "7.5, 8.0 and PTX 8.0".
function(alexnet_built_for result)
  foreach(architecture ${ARGN})
    if(NOT architecture MATCHES "^([0-9]+)([0-9])[af]?(-real|-virtual)?$")
      set(${result} "${ARGN}" PARENT_SCOPE) # "native" and the like
      return()
    endif()
    set(capability "${CMAKE_MATCH_1}.${CMAKE_MATCH_2}")
    if(NOT CMAKE_MATCH_3 STREQUAL "-virtual")
      list(APPEND code ${capability})
    endif()
    if(NOT CMAKE_MATCH_3 STREQUAL "-real")
      list(APPEND ptx ${capability})
    endif()
  endforeach()
  list(JOIN code ", " words)
  list(JOIN ptx ", " ptx)
  if(ptx AND code)
    string(APPEND words " and ")
  endif()
  if(ptx)
    string(APPEND words "PTX ${ptx}")
  endif()
  set(${result} "${words}" PARENT_SCOPE)
endfunction()

# Adds the CUDA part to `target`, where there is one. The runtime is linked statically: the addon loads on a machine
# without CUDA and without a GPU, and says what is missing.
function(alexnet_add_cuda target)
  if(NOT ALEXNET_CUDA_FOUND)
    return()
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/cuda/*.cu ${CMAKE_SOURCE_DIR}/cuda/*.cc)
  target_sources(${target} PRIVATE ${sources})
  target_compile_definitions(${target} PRIVATE ALEXNET_CUDA)
  target_include_directories(${target} SYSTEM PRIVATE ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
  if(ALEXNET_SIMULATOR)
    alexnet_simulate(${target})
  else()
    set_target_properties(${target} PROPERTIES CUDA_RUNTIME_LIBRARY Static)
  endif()
  get_target_property(architectures ${target} CUDA_ARCHITECTURES)
  alexnet_built_for(built_for ${architectures})
  set_property(SOURCE ${CMAKE_SOURCE_DIR}/cuda/backend.cc
               APPEND PROPERTY COMPILE_DEFINITIONS "ALEXNET_CUDA_BUILT_FOR=\"${built_for}\"")
  # -Wpedantic is left out: it objects to the code that nvcc itself writes.
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra,-Wshadow>")
  if(ALEXNET_CUDA_ARCHITECTURES STREQUAL "release")
    target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:--threads=0>")
    if(CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 13) # the drivers of CUDA 12 cannot all read it
      target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:--compress-mode=size>")
    endif()
  endif()
endfunction()
