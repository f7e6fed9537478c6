// The operations of the network, as plain values: what a device is asked to do, and nothing of how.
//
// Each has a name (the verb in TypeScript, and in error messages) and `validate()`, which checks types, shapes and
// parameters before anything is queued, so that every device refuses the same calls with the same words.
// Shape letters: N images, H W C input height, width, channels, P Q K output height, width, channels, R S window.
// Activations are NHWC in fp32 or bf16 ("real"), convolution weights K,R,S,C, sums and master weights fp32.
// With two columns in one tensor, column 0's channels come first.
// tf32, of fp32 tensors: products may be of operands rounded to TF32, which has fp32's range and 10 bits of fraction. A
// device without such products refuses; it multiplies what does not suit its tensor cores in fp32.
#pragma once

#include <string>
#include <vector>

#include "tensor.h"

namespace alexnet {

enum class Activation : uint8_t { none, relu, tanh, sigmoid };

struct ConvShape {
  int64_t stride = 1;
  int64_t padTop = 0, padLeft = 0, padBottom = 0, padRight = 0;  // rows and columns of zeros
  int64_t groups = 1;
};

struct PoolShape {
  int64_t size = 3;
  int64_t stride = 2;
};

struct LrnShape {
  int64_t columns = 1;  // equal slices of the channels that do not see each other
  int64_t size = 5;     // channels in a window, odd
  float alpha = 1e-4F;  // times the sum of squares, not divided by size (paper 3.3)
  float beta = 0.75F;
  float k = 2.0F;
};

// Crop, mirror, PCA colour, minus the mean image.                                                     paper 4.1
//   output[n,h,w,c] = images[n, top+h, left+x, c] - mean[top+h, left+x, c] + colour[n,c],  x = w or W-1-w if mirrored
struct Augment {
  static constexpr const char* name = "augment";
  Tensor images;  // [N, Y, X, 3] uint8
  Tensor views;   // [N, 6] fp32, what is seen of each picture: top, left, mirrored (0 or 1), red, green, blue
  Tensor mean;    // [Y, X, 3] fp32
  Tensor output;  // [N, H, W, 3] real, H <= Y, W <= X
  void validate() const;
};

// output = activation(conv(input, weights) + bias + addend)                                           paper 3.5
// A layer over two halves of channels, of which one comes from another device, is two calls: the first without bias and
// activation into an fp32 output, which is the second's addend.
struct Conv2d {
  static constexpr const char* name = "conv2d";
  Tensor input;    // [N, H, W, C] real
  Tensor weights;  // [K, R, S, C / groups], type of input
  Tensor bias;     // [K] fp32, or none
  Tensor addend;   // [N, P, Q, K] fp32, not output itself, or none
  Tensor output;   // [N, P, Q, K], type of input or fp32
  ConvShape shape;
  Activation activation = Activation::none;
  bool tf32 = false;
  void validate() const;
};
struct Conv2dBackwardInput {
  static constexpr const char* name = "conv2dBackwardInput";
  Tensor outputGradient;  // [N, P, Q, K] real
  Tensor weights;         // [K, R, S, C / groups], same type
  Tensor inputGradient;   // [N, H, W, C], same type
  ConvShape shape;
  bool tf32 = false;
  void validate() const;
};
struct Conv2dBackwardWeights {
  static constexpr const char* name = "conv2dBackwardWeights";
  Tensor input;           // [N, H, W, C] real
  Tensor outputGradient;  // [N, P, Q, K], same type
  Tensor weightGradient;  // [K, R, S, C / groups] fp32
  Tensor biasGradient;    // [K] fp32, or none
  ConvShape shape;
  bool tf32 = false;
  void validate() const;
};

// output = activation(input weights^T + bias + addend), the addend as in Conv2d
struct Linear {
  static constexpr const char* name = "linear";
  Tensor input;    // [N, I] real
  Tensor weights;  // [O, I], type of input
  Tensor bias;     // [O] fp32, or none
  Tensor addend;   // [N, O] fp32, not output itself, or none
  Tensor output;   // [N, O], type of input or fp32
  Activation activation = Activation::none;
  bool tf32 = false;
  void validate() const;
};
struct LinearBackwardInput {
  static constexpr const char* name = "linearBackwardInput";
  Tensor outputGradient;  // [N, O] real
  Tensor weights;         // [O, I], same type
  Tensor inputGradient;   // [N, I], same type
  bool tf32 = false;
  void validate() const;
};
struct LinearBackwardWeights {
  static constexpr const char* name = "linearBackwardWeights";
  Tensor input;           // [N, I] real
  Tensor outputGradient;  // [N, O], same type
  Tensor weightGradient;  // [O, I] fp32
  Tensor biasGradient;    // [O] fp32, or none
  bool tf32 = false;
  void validate() const;
};

// output = relu(input), tanh(input) or sigmoid(input) = 1 / (1 + exp(-input)); NaN stays NaN, here and where fused. May
// run in place.                                                                                       paper 3.1
struct Activate {
  static constexpr const char* name = "activate";
  Tensor input;   // real, any shape
  Tensor output;  // same type and shape
  Activation activation = Activation::relu;
  void validate() const;
};
// inputGradient = outputGradient * f'(x), f' taken from the output. inputGradient may be outputGradient.
struct ActivateBackward {
  static constexpr const char* name = "activateBackward";
  Tensor output;          // real, any shape
  Tensor outputGradient;  // same
  Tensor inputGradient;   // same
  Activation activation = Activation::relu;
  void validate() const;
};

// Local response normalization across channels.                                                       paper 3.3
//   output[n,h,w,c] = input[n,h,w,c] / (k + alpha * sum_j input[n,h,w,j]^2)^beta,  j within size/2 of c and in c's column
struct Lrn {
  static constexpr const char* name = "lrn";
  Tensor input;      // [N, H, W, C] real
  Tensor output;     // same
  Tensor workspace;  // [Device::workspaceBytes] uint8 for the backward pass, or none (inference)
  LrnShape shape;
  void validate() const;
};
struct LrnBackward {
  static constexpr const char* name = "lrnBackward";
  Tensor input;           // [N, H, W, C] real
  Tensor outputGradient;  // same
  Tensor inputGradient;   // same, not outputGradient itself
  Tensor workspace;       // as the forward pass left it
  LrnShape shape;
  void validate() const;
};

// Overlapped max pooling: windows whole inside the input.                                             paper 3.4
struct MaxPool {
  static constexpr const char* name = "maxPool";
  Tensor input;      // [N, H, W, C] real
  Tensor output;     // [N, P, Q, C], P = (H - size) / stride + 1
  Tensor workspace;  // as for Lrn
  PoolShape shape;
  void validate() const;
};
// The first maximum of a window (row by row) gets its whole gradient. Where the input is the output of a ReLU, the forward
// pass's output tells its derivative there: inputGradient is then that of the ReLU's own input, and has the bits of
// activateBackward after this (but for a NaN that no window has taken, whose gradient is 0).
struct MaxPoolBackward {
  static constexpr const char* name = "maxPoolBackward";
  Tensor outputGradient;  // [N, P, Q, C] real
  Tensor inputGradient;   // [N, H, W, C]
  Tensor workspace;
  PoolShape shape;
  Tensor output;                             // [N, P, Q, C], same type, with relu; else none
  Activation activation = Activation::none;  // what the input is the output of: none (nothing is applied) or relu
  void validate() const;
};

// Local response normalization and max pooling in one pass: output = maxPool(lrn(input)). What is pooled is rounded to the
// tensors' type, as lrn would store it, so the two operations one after the other have the same bits.    paper 3.3, 3.4
struct LrnMaxPool {
  static constexpr const char* name = "lrnMaxPool";
  Tensor input;      // [N, H, W, C] real
  Tensor output;     // [N, P, Q, C], same type
  Tensor workspace;  // as for MaxPool
  LrnShape lrn;
  PoolShape pool;
  void validate() const;
};
// maxPoolBackward, lrnBackward and, where the input is the output of a ReLU, activateBackward in one pass, again with their
// bits: then inputGradient is that of the ReLU's own input.
struct LrnMaxPoolBackward {
  static constexpr const char* name = "lrnMaxPoolBackward";
  Tensor input;           // [N, H, W, C] real
  Tensor outputGradient;  // [N, P, Q, C], same type
  Tensor inputGradient;   // like input, not input itself
  Tensor workspace;       // as the forward pass left it
  LrnShape lrn;
  PoolShape pool;
  Activation activation = Activation::none;  // what the input is the output of: none (nothing is applied) or relu
  void validate() const;
};

// output = input * mask / (1 - rate). The mask is a function of (seed, step, layer, index in the whole net), so the
// gradient's backward pass is the same call. May run in place.                                        paper 4.2
struct Dropout {
  static constexpr const char* name = "dropout";
  Tensor input;   // [N, C] real
  Tensor output;  // same
  float rate = 0.5F;
  uint64_t seed = 0;
  uint32_t step = 0;
  uint32_t layer = 0;
  int64_t features = 0;  // C of the whole net: element (n, c) has the index n * features + offset + c
  int64_t offset = 0;
  void validate() const;
};

// Mean cross-entropy and how often the label was the best and among the five best logits.
struct SoftmaxLoss {
  static constexpr const char* name = "softmaxLoss";
  Tensor logits;    // [N, K] fp32
  Tensor labels;    // [N] int32, each in 0 .. K-1
  Tensor result;    // [3] fp32: sum of the losses, top-1 count, top-5 count (ties go to the lower class)
  Tensor gradient;  // [N, K] real: d(mean loss) / d(logits), or none
  void validate() const;
};
struct Softmax {
  static constexpr const char* name = "softmax";
  Tensor logits;         // [N, K] fp32
  Tensor probabilities;  // [N, K] fp32
  void validate() const;
};

// v <- momentum * v - weightDecay * rate * w - rate * gradient;  w <- w + v                            paper 5
struct SgdParameter {
  Tensor weights;   // fp32
  Tensor velocity;  // fp32, same shape
  Tensor gradient;  // fp32, same shape
  Tensor copy;      // bf16 copy of the new weights, or none
  float learningRate = 0;
  float weightDecay = 0;
};
struct Sgd {
  static constexpr const char* name = "sgd";
  std::vector<SgdParameter> parameters;
  float momentum = 0.9F;
  void validate() const;
};

// output = input, rounded to nearest even where output is narrower. fp32 <-> bf16, and uint8 or int32 -> fp32.
struct Cast {
  static constexpr const char* name = "cast";
  Tensor input, output;
  void validate() const;
};
struct Copy {
  static constexpr const char* name = "copy";
  Tensor input, output;  // same type and shape, one device
  void validate() const;
};
struct Fill {
  static constexpr const char* name = "fill";
  Tensor output;  // fp32 or bf16
  float value = 0;
  void validate() const;
};
// output = input + addend. May run in place.
struct Add {
  static constexpr const char* name = "add";
  Tensor input, addend, output;  // real, all alike
  void validate() const;
};
// output's dimension i is input's dimension axes[i]. With inputStart, output is a box of a larger input, cut out from
// there; with outputStart, input becomes a box of a larger output, of which the rest stays as it is.
struct Permute {
  static constexpr const char* name = "permute";
  Tensor input;   // fp32, 4 dimensions
  Tensor output;  // fp32, 4 dimensions
  std::vector<int64_t> axes;
  std::vector<int64_t> inputStart;   // indices in input's order, or empty: all of it
  std::vector<int64_t> outputStart;  // indices in output's order, or empty: all of it. Not both.
  Shape box() const;                 // what is copied, in output's order
  void validate() const;
};
// output[i] = deviation * the i-th draw of the normal stream (seed, stream): see core/random.h.
struct Normal {
  static constexpr const char* name = "normal";
  Tensor output;  // fp32
  uint64_t seed = 0;
  uint32_t stream = 0;
  float deviation = 1;
  void validate() const;
};

template <class... Operations>
struct List {};

// All operations. A device has a run() for each, and the addon exports each by its name: where a device cannot run one,
// or binding/ops.cc cannot read its options, nothing compiles.
using AllOperations =
    List<Augment, Conv2d, Conv2dBackwardInput, Conv2dBackwardWeights, Linear, LinearBackwardInput,
         LinearBackwardWeights, Activate, ActivateBackward, Lrn, LrnBackward, MaxPool, MaxPoolBackward, LrnMaxPool,
         LrnMaxPoolBackward, Dropout, SoftmaxLoss, Softmax, Sgd, Cast, Copy, Add, Fill, Permute, Normal>;

}  // namespace alexnet
