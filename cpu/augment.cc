// Crop, mirror, PCA colour, minus the mean image. paper 4.1
//   output[n,h,w,c] = images[n, top+h, left+x, c] - mean[top+h, left+x, c] + colour[n,c],  x = w or W-1-w if mirrored
//   images [N, Y, X, 3] uint8, views [N, 6], mean [Y, X, 3], output [N, H, W, 3]   fp32 or bf16
#include <algorithm>

#include "bytes.h"
#include "device.h"

namespace alexnet::cpu {
namespace {

struct PictureView {
  int64_t top, left;
  bool mirrored;
  float colour[3];
};

std::vector<PictureView> readViews(const Augment& operation) {
  const int64_t mostTop = operation.images.dimension(1) - operation.output.dimension(1);
  const int64_t mostLeft = operation.images.dimension(2) - operation.output.dimension(2);
  const auto* row = operation.views.data<float>();
  std::vector<PictureView> views;
  for (int64_t n = 0; n < operation.images.dimension(0); ++n, row += 6) {
    const auto within = [](float value, int64_t most) {
      return value >= 0 && value <= static_cast<float>(most) &&
             value == static_cast<float>(static_cast<int64_t>(value));
    };
    if (!within(row[0], mostTop) || !within(row[1], mostLeft) || !within(row[2], 1)) {
      throw Error(kArgument, "view " + std::to_string(n) + " is [" + std::to_string(row[0]) + ", " +
                                 std::to_string(row[1]) + ", " + std::to_string(row[2]) +
                                 ", ...], expected integers: top 0 to " + std::to_string(mostTop) + ", left 0 to " +
                                 std::to_string(mostLeft) + ", mirrored 0 or 1.");
    }
    views.push_back(
        {static_cast<int64_t>(row[0]), static_cast<int64_t>(row[1]), row[2] != 0, {row[3], row[4], row[5]}});
  }
  return views;
}

// One row of `values` numbers: pixels [values / 3, 3] minus mean plus colour, the colour spread over the row.
ALEXNET_VECTORIZED void subtractMean(const uint8_t* __restrict pixels, const float* __restrict mean,
                                     const float* __restrict colour, float* __restrict row, int64_t values) {
  for (int64_t i = 0; i < values; ++i) row[i] = static_cast<float>(pixels[i]) - mean[i] + colour[i];
}

ALEXNET_VECTORIZED void store(const float* __restrict row, float* __restrict output, int64_t values) {
  for (int64_t i = 0; i < values; ++i) output[i] = row[i];
}
ALEXNET_VECTORIZED void store(const float* __restrict row, Bfloat16* __restrict output, int64_t values) {
  for (int64_t i = 0; i < values; ++i) output[i] = narrow<Bfloat16>(row[i]);
}

void mirror(float* row, int64_t width) {
  for (int64_t a = 0, b = width - 1; a < b; ++a, --b) std::swap_ranges(row + 3 * a, row + 3 * a + 3, row + 3 * b);
}

template <class Real>
void augmentImage(const Augment& operation, int64_t n, const PictureView& view, Real* output,
                  std::vector<float>& scratch) {
  const int64_t imageHeight = operation.images.dimension(1);
  const int64_t imageWidth = operation.images.dimension(2);
  const int64_t height = operation.output.dimension(1);
  const int64_t width = operation.output.dimension(2);
  const int64_t values = 3 * width;
  scratch.resize(static_cast<size_t>(2 * values));
  float* const row = scratch.data();
  float* const colour = row + values;
  for (int64_t i = 0; i < values; ++i) colour[i] = view.colour[i % 3];
  for (int64_t h = 0; h < height; ++h) {
    const int64_t corner = 3 * ((view.top + h) * imageWidth + view.left);
    subtractMean(operation.images.data<uint8_t>() + n * imageHeight * imageWidth * 3 + corner,
                 operation.mean.data<float>() + corner, colour, row, values);
    if (view.mirrored) mirror(row, width);
    store(row, output + (n * height + h) * values, values);
  }
}

template <class Real>
void augment(const Augment& operation) {
  const std::vector<PictureView> views = readViews(operation);
  Real* const output = operation.output.mutableData<Real>();
#pragma omp parallel
  {
    std::vector<float> scratch;
#pragma omp for schedule(static)
    for (int64_t n = 0; n < operation.images.dimension(0); ++n) {
      augmentImage(operation, n, views[static_cast<size_t>(n)], output, scratch);
    }
  }
}

}  // namespace

void CpuDevice::run(const Augment& operation) {
  operation.output.type == DataType::float32 ? augment<float>(operation) : augment<Bfloat16>(operation);
}

}  // namespace alexnet::cpu
