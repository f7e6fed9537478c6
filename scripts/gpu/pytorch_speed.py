"""How fast PyTorch takes the paper's training step on this GPU, for comparison: JSON, a row for each precision.

The net is written as a user of PyTorch would: grouped convolutions for the two columns, its own local response
normalization (which crosses the columns), dropout, cross-entropy, SGD with momentum. Pictures lie on the GPU as floats
in the layout that suits its tensor cores; copying and augmenting them, which `alexnet bench train-step` does, is left out.
"""

import json
import statistics
import sys

import torch
from torch import nn

BATCH, WARM_UP, SAMPLES = 128, 10, 30


def alexnet():
    def convolution(inputs, outputs, size, **options):
        return [nn.Conv2d(inputs, outputs, size, **options), nn.ReLU()]

    def norm():
        return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2)  # PyTorch divides alpha by the size

    return nn.Sequential(
        nn.ZeroPad2d((0, 3, 0, 3)), *convolution(3, 96, 11, stride=4), norm(), nn.MaxPool2d(3, 2),
        *convolution(96, 256, 5, padding=2, groups=2), norm(), nn.MaxPool2d(3, 2),
        *convolution(256, 384, 3, padding=1),
        *convolution(384, 384, 3, padding=1, groups=2),
        *convolution(384, 256, 3, padding=1, groups=2), nn.MaxPool2d(3, 2),
        nn.Flatten(),
        nn.Linear(9216, 4096), nn.ReLU(), nn.Dropout(),
        nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(),
        nn.Linear(4096, 1000),
    )  # fmt: skip


def milliseconds(precision):
    """Median of SAMPLES steps by the GPU's own clock."""
    tf32 = precision == 'tf32'
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32
    model = alexnet().cuda().to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9, weight_decay=0.0005)
    pictures = torch.randn(BATCH, 3, 224, 224, device='cuda').to(memory_format=torch.channels_last)
    labels = torch.randint(1000, (BATCH,), device='cuda')
    samples = []
    for step in range(WARM_UP + SAMPLES):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        optimizer.zero_grad()
        with torch.autocast('cuda', torch.bfloat16, enabled=precision == 'bf16'):
            loss = nn.functional.cross_entropy(model(pictures), labels)
        loss.backward()
        optimizer.step()
        end.record()
        end.synchronize()
        if step >= WARM_UP:
            samples.append(begin.elapsed_time(end))
    assert torch.isfinite(loss)
    return statistics.median(samples)


def main():
    torch.backends.cudnn.benchmark = True
    rows = []
    for precision in ('fp32', 'tf32', 'bf16'):
        median = milliseconds(precision)
        rows.append({'precision': precision, 'batchSize': BATCH, 'medianMs': median, 'imagesPerSecond': BATCH * 1000 / median})
        print(f'{precision}: {median:.2f} ms a step, {BATCH * 1000 / median:.0f} images/s', file=sys.stderr)
    print(json.dumps({'torch': torch.__version__, 'gpu': torch.cuda.get_device_name(), 'rows': rows}))


main()
