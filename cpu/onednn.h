// Where oneDNN 2 and 3 differ: how a primitive's descriptor is made. Nothing else looks at the version.
#pragma once

#include <dnnl.hpp>

namespace alexnet::cpu {

using Descriptor = dnnl::memory::desc;

#if DNNL_VERSION_MAJOR >= 3

template <class Primitive, class... Arguments>
typename Primitive::primitive_desc describe(const dnnl::engine& engine, const dnnl::primitive_attr& attributes,
                                            const Arguments&... arguments) {
  return {engine, arguments..., attributes};
}

template <class Primitive, class Forward, class... Arguments>
typename Primitive::primitive_desc describeBackward(const dnnl::engine& engine, const dnnl::primitive_attr& attributes,
                                                    const Forward& forward, const Arguments&... arguments) {
  return {engine, arguments..., forward, attributes};
}

inline void appendActivation(dnnl::post_ops& operations, dnnl::algorithm algorithm) {
  operations.append_eltwise(algorithm, 0, 0);
}

inline dnnl::eltwise_forward::primitive_desc describeEltwise(const dnnl::engine& engine,
                                                             const dnnl::primitive_attr& attributes,
                                                             dnnl::algorithm algorithm, const Descriptor& layout) {
  return {engine, dnnl::prop_kind::forward_training, algorithm, layout, layout, 0, 0, attributes};
}

inline dnnl::eltwise_backward::primitive_desc describeEltwiseBackward(
    const dnnl::engine& engine, const dnnl::primitive_attr& attributes, dnnl::algorithm algorithm,
    const Descriptor& layout, const dnnl::eltwise_forward::primitive_desc& forward) {
  return {engine, algorithm, layout, layout, layout, 0, 0, forward, attributes};
}

#else

template <class Primitive, class... Arguments>
typename Primitive::primitive_desc describe(const dnnl::engine& engine, const dnnl::primitive_attr& attributes,
                                            const Arguments&... arguments) {
  return {typename Primitive::desc(arguments...), attributes, engine};
}

template <class Primitive, class Forward, class... Arguments>
typename Primitive::primitive_desc describeBackward(const dnnl::engine& engine, const dnnl::primitive_attr& attributes,
                                                    const Forward& forward, const Arguments&... arguments) {
  return {typename Primitive::desc(arguments...), attributes, engine, forward};
}

inline void appendActivation(dnnl::post_ops& operations, dnnl::algorithm algorithm) {
  operations.append_eltwise(1, algorithm, 0, 0);
}

inline dnnl::eltwise_forward::primitive_desc describeEltwise(const dnnl::engine& engine,
                                                             const dnnl::primitive_attr& attributes,
                                                             dnnl::algorithm algorithm, const Descriptor& layout) {
  return {{dnnl::prop_kind::forward_training, algorithm, layout, 0, 0}, attributes, engine};
}

inline dnnl::eltwise_backward::primitive_desc describeEltwiseBackward(
    const dnnl::engine& engine, const dnnl::primitive_attr& attributes, dnnl::algorithm algorithm,
    const Descriptor& layout, const dnnl::eltwise_forward::primitive_desc& forward) {
  return {{algorithm, layout, layout, 0, 0}, attributes, engine, forward};
}

#endif

}  // namespace alexnet::cpu
