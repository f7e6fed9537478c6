// Neighbouring values of one type, moved in pieces of 16 bytes and worked on in fp32.
#pragma once

#include <cuda_bf16.h>

namespace alexnet::cuda {

// The two bf16 values of a word; the lower half comes first in memory.
__device__ inline void unpack(unsigned word, float& first, float& second) {
  first = __uint_as_float(word << 16);
  second = __uint_as_float(word & 0xffff0000U);
}

__device__ inline unsigned pack(float first, float second) {
  const __nv_bfloat162 rounded = __floats2bfloat162_rn(first, second);
  return *reinterpret_cast<const unsigned*>(&rounded);
}

__device__ inline float toFloat(float value) { return value; }
__device__ inline float toFloat(__nv_bfloat16 value) { return __bfloat162float(value); }

// `source` and `destination` must be multiples of 16 bytes for load8 and store8, of 4 values for load4 and store4.
__device__ inline void load4(const float* source, float (&values)[4]) {
  const float4 all = *reinterpret_cast<const float4*>(source);
  values[0] = all.x, values[1] = all.y, values[2] = all.z, values[3] = all.w;
}

__device__ inline void load4(const __nv_bfloat16* source, float (&values)[4]) {
  const uint2 all = *reinterpret_cast<const uint2*>(source);
  unpack(all.x, values[0], values[1]);
  unpack(all.y, values[2], values[3]);
}

__device__ inline void load8(const float* source, float (&values)[8]) {
  const float4 low = reinterpret_cast<const float4*>(source)[0];
  const float4 high = reinterpret_cast<const float4*>(source)[1];
  values[0] = low.x, values[1] = low.y, values[2] = low.z, values[3] = low.w;
  values[4] = high.x, values[5] = high.y, values[6] = high.z, values[7] = high.w;
}

__device__ inline void load8(const __nv_bfloat16* source, float (&values)[8]) {
  const uint4 all = *reinterpret_cast<const uint4*>(source);
  unpack(all.x, values[0], values[1]);
  unpack(all.y, values[2], values[3]);
  unpack(all.z, values[4], values[5]);
  unpack(all.w, values[6], values[7]);
}

__device__ inline void store4(float* destination, const float (&values)[4]) {
  *reinterpret_cast<float4*>(destination) = make_float4(values[0], values[1], values[2], values[3]);
}

__device__ inline void store4(__nv_bfloat16* destination, const float (&values)[4]) {
  *reinterpret_cast<uint2*>(destination) = make_uint2(pack(values[0], values[1]), pack(values[2], values[3]));
}

__device__ inline void store8(float* destination, const float (&values)[8]) {
  reinterpret_cast<float4*>(destination)[0] = make_float4(values[0], values[1], values[2], values[3]);
  reinterpret_cast<float4*>(destination)[1] = make_float4(values[4], values[5], values[6], values[7]);
}

__device__ inline void store8(__nv_bfloat16* destination, const float (&values)[8]) {
  *reinterpret_cast<uint4*>(destination) = make_uint4(pack(values[0], values[1]), pack(values[2], values[3]),
                                                      pack(values[4], values[5]), pack(values[6], values[7]));
}

}  // namespace alexnet::cuda
