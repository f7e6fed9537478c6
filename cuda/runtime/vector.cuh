// 2, 4 or 8 contiguous values of one type: 16-byte loads and stores where memory is aligned, arithmetic in fp32.
#pragma once

#include <cuda_bf16.h>

#include <cstdint>
#include <initializer_list>

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

// `source` and `destination` must be multiples of 16 bytes for load8 and store8, of 2 or 4 values for those of so many.
__device__ inline void load2(const float* source, float (&values)[2]) {
  const float2 both = *reinterpret_cast<const float2*>(source);
  values[0] = both.x, values[1] = both.y;
}

__device__ inline void load2(const __nv_bfloat16* source, float (&values)[2]) {
  unpack(*reinterpret_cast<const unsigned*>(source), values[0], values[1]);
}

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

// uint8: one 8-byte load. int32: rounded to the nearest fp32 number.
__device__ inline void load8(const uint8_t* source, float (&values)[8]) {
  const uint2 all = *reinterpret_cast<const uint2*>(source);
#pragma unroll
  for (int i = 0; i < 8; ++i) values[i] = static_cast<float>((i < 4 ? all.x : all.y) >> 8 * (i % 4) & 255U);
}

__device__ inline void load8(const int32_t* source, float (&values)[8]) {
  const int4 low = reinterpret_cast<const int4*>(source)[0];
  const int4 high = reinterpret_cast<const int4*>(source)[1];
  values[0] = __int2float_rn(low.x), values[1] = __int2float_rn(low.y);
  values[2] = __int2float_rn(low.z), values[3] = __int2float_rn(low.w);
  values[4] = __int2float_rn(high.x), values[5] = __int2float_rn(high.y);
  values[6] = __int2float_rn(high.z), values[7] = __int2float_rn(high.w);
}

__device__ inline float widen(float value) { return value; }
__device__ inline float widen(__nv_bfloat16 value) { return __bfloat162float(value); }
__device__ inline float widen(uint8_t value) { return static_cast<float>(value); }
__device__ inline float widen(int32_t value) { return __int2float_rn(value); }

__device__ inline void narrow(float value, float& result) { result = value; }
__device__ inline void narrow(float value, __nv_bfloat16& result) { result = __float2bfloat16_rn(value); }

// What is left of a value when it has been stored.
template <class T>
__device__ inline float rounded(float value) {
  T result;
  narrow(value, result);
  return widen(result);
}

// What is left of 8 values when they have been stored; bf16 two at a time, which takes no unit that is slow.
template <class T>
__device__ inline void roundAll(float (&values)[8]) {
  if constexpr (sizeof(T) < sizeof(float)) {
#pragma unroll
    for (int i = 0; i < 8; i += 2) unpack(pack(values[i], values[i + 1]), values[i], values[i + 1]);
  }
}

// A chunk of 8 values, of which the first `count` exist; the others are 0. `wide`: chunks are aligned as load8 needs.
template <class T>
__device__ inline void loadChunk(const T* source, float (&values)[8], int count, bool wide) {
  if (wide && count == 8) return load8(source, values);
#pragma unroll
  for (int i = 0; i < 8; ++i) values[i] = i < count ? widen(source[i]) : 0.0F;
}

template <class T>
__device__ inline void storeChunk(T* destination, const float (&values)[8], int count, bool wide) {
  if (wide && count == 8) return store8(destination, values);
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    if (i < count) narrow(values[i], destination[i]);
  }
}

// Whether chunks from these addresses on are aligned to 16 bytes.
inline bool areWide(std::initializer_list<const void*> addresses) {
  for (const void* address : addresses) {
    if (reinterpret_cast<uintptr_t>(address) % 16 != 0) return false;
  }
  return true;
}

}  // namespace alexnet::cuda
