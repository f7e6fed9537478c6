#!/usr/bin/python3
"""Makes the files that the whole net is compared with, using PyTorch (Debian: apt-get install python3-torch).

    scripts/make-fixtures.py                        the small nets, into test/fixtures/ (a minute)
    scripts/make-fixtures.py --full OUT.safetensors the paper's net, 730 MB: two pictures (three minutes, 4 GB of
                                                    memory), or 128 where PyTorch has a GPU

A fixture holds pictures, labels, initial parameters, and what follows from them in double precision: the logits, the
loss and every gradient of a training step, the losses and the final parameters of ten. It also says how far rounding
may take an implementation from that (`spread`, see MonteCarlo). test/helpers/fixtures.ts reads it.

The reference interprets the same architectures as lib/net/architecture.ts, but is written from the paper alone.
Shapes are PyTorch's: N, C, H, W.
"""

import argparse
import json
import math
import os
import sys
import zlib

import numpy
import torch
import torch.nn.functional as functional

STEPS = 10

# Where PyTorch computes: the processor, whose results are committed, unless main() finds a GPU for the paper's net.
device = torch.device('cpu')

# --- Random numbers -------------------------------------------------------------------------------------------------


def philox(seed, counter):
    """Philox 4x32-10 (Salmon et al. 2011) on a counter of four words, each an array or a number; four arrays."""
    low = numpy.uint64(0xFFFFFFFF)
    words = [numpy.asarray(word, numpy.uint64) for word in numpy.broadcast_arrays(*counter)]
    keys = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        product0, product1 = words[0] * numpy.uint64(0xD2511F53), words[2] * numpy.uint64(0xCD9E8D57)
        words = [
            (product1 >> numpy.uint64(32)) ^ words[1] ^ numpy.uint64(keys[0]),
            product1 & low,
            (product0 >> numpy.uint64(32)) ^ words[3] ^ numpy.uint64(keys[1]),
            product0 & low,
        ]
        keys = [(keys[0] + 0x9E3779B9) & 0xFFFFFFFF, (keys[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return words


def dropout_mask(rate, seed, step, layer, shape):
    """0 or 1 / (1 - rate) for each of [N, ..., C]; element i has word i % 4 of block i / 4 (core/random.h)."""
    rate = float(numpy.float32(rate))
    elements = math.prod(shape)
    dropout = 2  # Draw::dropout
    words = philox(seed, [numpy.arange((elements + 3) // 4), step, layer, dropout])
    words = numpy.stack(words, axis=1).reshape(-1)[:elements]
    kept = words >= numpy.uint64(int(rate * 2**32))
    return torch.from_numpy(kept.reshape(shape) / (1 - rate)).to(device)


# --- Arithmetics ----------------------------------------------------------------------------------------------------


class Exact:
    """Double precision: the reference."""

    dtype = torch.float64

    def store(self, name, tensor):
        return tensor


class Nearest:
    """float32 sums; activations, their gradients and the weights as multiplied are stored in a type."""

    dtype = torch.float32

    def __init__(self, stored):
        self.stored = stored

    def store(self, name, tensor):
        return tensor.to(self.stored).to(torch.float32)


class MonteCarlo:
    """Nearest with random rounding errors, by the standard model: x becomes x (1 + e), e uniform within +-unit.

    How far such runs fall from the exact one, as the L2 norm of the difference, measures what rounding does to a result
    on these very numbers, decisions of ReLU and max pooling included. A value that stays about the same rounds the
    same way in every step, so an element keeps its e for the whole run.
    """

    dtype = torch.float32
    # The unit roundoff of bf16; of fp32 twice that, since x itself and the sum that gave it are rounded.
    UNITS = {'fp32': 2.0**-23, 'bf16': 2.0**-8}

    def __init__(self, precision, sample):
        self.unit = self.UNITS[precision]
        self.sample = sample
        self.errors = {}

    def store(self, name, tensor):
        if name not in self.errors:
            generator = torch.Generator(device).manual_seed(zlib.crc32(f'{self.sample} {name}'.encode()))
            uniform = torch.rand(tensor.shape, generator=generator, dtype=self.dtype, device=device)
            self.errors[name] = uniform.mul_(2 * self.unit).sub_(self.unit)
        return torch.addcmul(tensor, tensor, self.errors[name])


class Store(torch.autograd.Function):
    """Passes a tensor through `forward` and its gradient through `backward`."""

    @staticmethod
    def forward(context, tensor, forward, backward):
        context.backward_store = backward
        return forward(tensor)

    @staticmethod
    def backward(context, gradient):
        return context.backward_store(gradient), None, None


def same(tensor):
    return tensor


# --- The net --------------------------------------------------------------------------------------------------------


def local_response_norm(x, columns, spec):
    """Paper 3.3, in each column for itself or across both; alpha is not divided by the window's size."""
    results = []
    columns = 1 if spec.get('reads') == 'both' else columns
    for column in x.chunk(columns, dim=1):
        half, channels = spec['size'] // 2, column.shape[1]
        squares = functional.pad(column * column, (0, 0, 0, 0, half, half))
        sums = sum(squares[:, i : i + channels] for i in range(spec['size']))
        results.append(column / (spec['k'] + spec['alpha'] * sums) ** spec['beta'])
    return torch.cat(results, dim=1)


def forward(fixture, parameters, arithmetic, step=None):
    """Logits [N, classes]; with dropout where a step is given."""
    architecture = fixture['architecture']

    def store(name, x):
        return Store.apply(x, lambda t: arithmetic.store(name, t), lambda g: arithmetic.store(f'{name} gradient', g))

    def store_gradient(name, x):
        return Store.apply(x, same, lambda g: arithmetic.store(f'{name} gradient', g))

    def weights(name):
        return Store.apply(parameters[f'{name}.weight'], lambda t: arithmetic.store(f'{name} weights', t), same)

    def activate(name, x, activation):
        if activation == 'none':  # of the last layer, logits stay in float32
            return store_gradient(name, x) if name == architecture['layers'][-1]['name'] else store(name, x)
        if activation == 'relu':  # whose derivative is 0 or 1: nothing to round
            return store(name, functional.relu(x))
        return store(name, torch.tanh(store_gradient(f'{name} sums', x)))

    margin = (architecture['imageSize'] - architecture['crop']) // 2
    crop = slice(margin, margin + architecture['crop'])
    images, mean = (torch.from_numpy(fixture[name]).to(device) for name in ('images', 'mean'))
    pictures = images.to(arithmetic.dtype) - mean
    x = arithmetic.store('pictures', pictures[:, crop, crop].permute(0, 3, 1, 2).to(arithmetic.dtype))
    dropouts = 0
    for spec in architecture['layers']:
        name = spec['name']
        if spec['type'] == 'conv2d':
            top, left, bottom, right = spec['pads']
            groups = architecture['columns'] if spec['reads'] == 'own' else 1
            padded = functional.pad(x, (left, right, top, bottom))
            sums = functional.conv2d(padded, weights(name), parameters[f'{name}.bias'], spec['stride'], groups=groups)
            x = activate(name, sums, spec['activation'])
        elif spec['type'] == 'lrn':
            x = store(name, local_response_norm(x, architecture['columns'], spec))
        elif spec['type'] == 'maxPool':
            x = store_gradient(name, functional.max_pool2d(x, spec['size'], spec['stride']))
        elif spec['type'] == 'activate':
            x = activate(name, x, spec['activation'])
        elif spec['type'] == 'linear':
            sums = functional.linear(x.flatten(start_dim=1), weights(name), parameters[f'{name}.bias'])
            x = activate(name, sums, spec['activation'])
        elif spec['type'] == 'dropout':
            if step is not None:
                # Elements are counted with channels last.
                last = x.movedim(1, -1)
                mask = dropout_mask(spec['rate'], fixture['options']['seed'], step, dropouts, tuple(last.shape))
                x = store(name, (last * mask.to(arithmetic.dtype)).movedim(-1, 1))
            dropouts += 1
        else:
            raise ValueError(f'unknown layer {spec["type"]}')
    return x


def update(options, parameters, velocities):
    """Paper 5: v <- momentum v - decay rate w - rate g;  w <- w + v."""
    with torch.no_grad():
        for name, value in parameters.items():
            bias = name.endswith('.bias')
            rate = options['learningRate'] * (options['biasLearningRateScale'] if bias else 1)
            decay = options['biasWeightDecay'] if bias else options['weightDecay']
            velocity = velocities[name]
            velocity.mul_(options['momentum']).sub_(value, alpha=decay * rate).sub_(value.grad, alpha=rate)
            value.add_(velocity)
            value.grad = None


def run(fixture, arithmetic):
    """Everything that is compared, by name, in float64 (parameter-sized results in the arithmetic's type)."""
    parameters = {
        name: torch.from_numpy(value).to(device, arithmetic.dtype, copy=True).requires_grad_()
        for name, value in fixture['parameters'].items()
    }
    velocities = {name: torch.zeros_like(value) for name, value in parameters.items()}
    labels = torch.from_numpy(fixture['labels']).long().to(device)
    with torch.no_grad():
        probabilities = torch.softmax(forward(fixture, parameters, arithmetic), dim=1).double()
        logits = probabilities.log()
    results = {
        'probabilities': probabilities,
        # Up to a constant for each picture, which softmax does not see.
        'logits': logits - logits.mean(dim=1, keepdim=True),
    }
    losses = []
    for step in range(STEPS):
        loss = functional.cross_entropy(forward(fixture, parameters, arithmetic, step), labels)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            results.update({f'gradient.{name}': value.grad.clone() for name, value in parameters.items()})
        update(fixture['options'], parameters, velocities)
    results['loss'] = torch.tensor(losses[:1], dtype=torch.float64)
    results['losses'] = torch.tensor(losses, dtype=torch.float64)
    results.update({f'final.{name}': value.detach() for name, value in parameters.items()})
    return results


# --- What rounding may do -------------------------------------------------------------------------------------------


def distances(results, exact):
    return {name: norm(results[name].double() - exact[name]) for name in exact}


def norm(tensor):
    return float(torch.linalg.vector_norm(tensor, dtype=torch.float64))


def spread_of(fixture, exact, precision, samples):
    """Root mean square over the samples of each result's L2 distance from the exact one."""
    squares = dict.fromkeys(exact, 0.0)
    for sample in range(samples):
        for name, distance in distances(run(fixture, MonteCarlo(precision, sample)), exact).items():
            squares[name] += distance**2 / samples
    return {name: math.sqrt(square) for name, square in squares.items()}


def check_steadiness(fixture, exact, spread):
    """In ten steps fp32 must not lose its way, as it does where a ReLU or a maximum stands on the edge."""
    for name, initial in fixture['parameters'].items():
        change = norm(exact[f'final.{name}'] - torch.from_numpy(initial).to(device))
        assert spread[f'final.{name}'] < 1e-3 * change, f'{name} depends on rounding: choose another seed'


def check_rounding(fixture, exact, precision, spread):
    """True rounding to nearest must look like one more sample, or the model of it is wrong."""
    stored = {'fp32': torch.float32, 'bf16': torch.bfloat16}[precision]
    ratios = {
        name: distance / spread[name]
        for name, distance in distances(run(fixture, Nearest(stored)), exact).items()
    }
    worst = max(ratios, key=ratios.get)
    relative = max(spread[name] / norm(exact[name]) for name in exact if name.startswith('gradient.'))
    print(
        f'  {precision}: rounding to nearest lies at most {ratios[worst]:.2f} spreads away ({worst}), at the median '
        f'{numpy.median(list(ratios.values())):.2f}; the gradients spread by at most {relative:.1e} of themselves'
    )
    assert ratios[worst] < 3, f'{precision} rounding is not modelled: {worst}'


# --- Pictures -------------------------------------------------------------------------------------------------------


def draw(random, size, label):
    """A striped shape on a background of the label's colours, with noise: uint8 [size, size, 3]."""
    y, x = numpy.mgrid[0:size, 0:size] / size
    hue = 2.4 * label + numpy.array([0, 2.1, 4.2])
    background = 127 + 90 * numpy.cos(hue) + random.normal(0, 20, (2, 3))
    picture = background[0] + (background[1] - background[0]) * (x if label % 2 else y)[..., None]
    centre, radius = random.uniform(0.35, 0.65, 2), random.uniform(0.2, 0.35)
    dy, dx = y - centre[0], x - centre[1]
    inside = [
        dy * dy + dx * dx < radius * radius,
        numpy.maximum(abs(dy), abs(dx)) < 0.85 * radius,
        (abs(dy) < 0.3 * radius) | (abs(dx) < 0.3 * radius),
        (dy < radius) & (abs(dx) * 2 < dy + radius),
    ][label % 4]
    stripes = 60 * numpy.sin(2 * math.pi * (3 + label % 5) * (x * math.cos(label) + y * math.sin(label)))
    picture = numpy.where(inside[..., None], 127 - 90 * numpy.cos(hue) + stripes[..., None], picture)
    picture = picture + random.normal(0, 12, picture.shape)
    return picture.clip(0, 255).round().astype(numpy.uint8)


# --- Nets -----------------------------------------------------------------------------------------------------------


def conv(name, kernels, size, pads, reads, bias=0.0, stride=1, activation='relu', gain=math.sqrt(2)):
    layer = {'type': 'conv2d', 'name': name, 'kernels': kernels, 'size': size, 'stride': stride, 'pads': pads}
    return {**layer, 'reads': reads, 'activation': activation, 'initial': {'gain': gain, 'bias': bias}}


def lrn(name, size, alpha, k, **reads):
    return {'type': 'lrn', 'name': name, 'size': size, 'alpha': alpha, 'beta': 0.75, 'k': k, **reads}


def pool(name, size, stride):
    return {'type': 'maxPool', 'name': name, 'size': size, 'stride': stride}


def activate(name, activation):
    return {'type': 'activate', 'name': name, 'activation': activation}


def linear(name, outputs, activation='relu', bias=0.0, gain=math.sqrt(2)):
    initial = {'gain': gain, 'bias': bias}
    return {'type': 'linear', 'name': name, 'outputs': outputs, 'activation': activation, 'initial': initial}


def dropout(name, rate=0.5):
    return {'type': 'dropout', 'name': name, 'rate': rate}


# AlexNet in small. The last layer starts small and learns most, so that rounding is not amplified from step to step.
TWO_COLUMNS = {
    'imageSize': 106,
    'crop': 100,
    'columns': 2,
    'layers': [
        conv('conv1', 16, 11, [0, 0, 3, 3], 'both', stride=4, gain=1),
        lrn('lrn1', 5, 0.001, 2),
        pool('pool1', 3, 2),
        conv('conv2', 32, 5, [2, 2, 2, 2], 'own'),
        lrn('lrn2', 5, 0.001, 2),
        pool('pool2', 3, 2),
        conv('conv3', 32, 3, [1, 1, 1, 1], 'both'),
        conv('conv4', 32, 3, [1, 1, 1, 1], 'own'),
        conv('conv5', 32, 3, [1, 1, 1, 1], 'own'),
        pool('pool5', 3, 2),
        linear('fc6', 128),
        dropout('dropout6', 0.25),
        linear('fc7', 96),
        dropout('dropout7', 0.25),
        linear('fc8', 4, 'none', gain=0.02),
    ],
}

# One column, tanh, pooling without overlap, neither LRN nor dropout: the other side of the paper's comparisons.
TANH = {
    'imageSize': 36,
    'crop': 32,
    'columns': 1,
    'layers': [
        conv('conv1', 16, 7, [3, 3, 2, 2], 'both', stride=2, activation='tanh', gain=1 / 64),
        pool('pool1', 2, 2),
        conv('conv2', 24, 3, [1, 1, 1, 1], 'own', activation='tanh', gain=1),
        pool('pool2', 2, 2),
        conv('conv3', 24, 3, [1, 1, 1, 1], 'both', activation='tanh', gain=1),
        linear('fc4', 40, 'tanh', gain=1),
        linear('fc5', 6, 'none', gain=1),
    ],
}

# Nothing is a multiple of anything: 5 and 7 channels a column, pixels that no window reads, a rate that is no half.
ODD = {
    'imageSize': 33,
    'crop': 29,
    'columns': 2,
    'layers': [
        conv('conv1', 10, 5, [1, 0, 1, 1], 'both', stride=3, gain=1 / 8),
        lrn('lrn1', 3, 0.05, 1),
        pool('pool1', 3, 2),
        conv('conv2', 14, 3, [1, 1, 1, 1], 'own'),
        conv('conv3', 6, 3, [0, 1, 2, 1], 'own', bias=0.1),
        pool('pool3', 3, 1),
        linear('fc4', 13),
        dropout('dropout4', 0.3),
        linear('fc5', 5, 'none', gain=0.5),
    ],
}

# Other AlexNets' orders: a ReLU after pooling and a tanh apart, LRN after pooling and across both columns, dropout of pixels.
ORDERS = {
    'imageSize': 46,
    'crop': 43,
    'columns': 2,
    'layers': [
        conv('conv1', 12, 7, [2, 2, 2, 2], 'both', stride=2, activation='none', gain=1 / 16),
        lrn('lrn1', 5, 0.01, 2, reads='own'),
        pool('pool1', 3, 2),
        activate('relu1', 'relu'),
        conv('conv2', 16, 5, [2, 2, 2, 2], 'own'),
        pool('pool2', 3, 2),
        lrn('lrn2', 5, 0.02, 1, reads='both'),
        conv('conv3', 16, 3, [1, 1, 1, 1], 'both', activation='none', gain=1),
        activate('tanh3', 'tanh'),
        dropout('dropout3', 0.2),
        linear('fc4', 24),
        dropout('dropout4', 0.3),
        linear('fc5', 5, 'none', gain=0.5),
    ],
}


def paper(classes):
    """The net of the paper, section 3.5 and figure 2; weights start at N(0, .01), see section 5."""

    def start(layer, bias):
        return {**layer, 'initial': {'deviation': 0.01, 'bias': bias}}

    return {
        'imageSize': 256,
        'crop': 224,
        'columns': 2,
        'layers': [
            start(conv('conv1', 96, 11, [0, 0, 3, 3], 'both', stride=4), 0),
            lrn('lrn1', 5, 1e-4, 2),
            pool('pool1', 3, 2),
            start(conv('conv2', 256, 5, [2, 2, 2, 2], 'own'), 1),
            lrn('lrn2', 5, 1e-4, 2),
            pool('pool2', 3, 2),
            start(conv('conv3', 384, 3, [1, 1, 1, 1], 'both'), 0),
            start(conv('conv4', 384, 3, [1, 1, 1, 1], 'own'), 1),
            start(conv('conv5', 256, 3, [1, 1, 1, 1], 'own'), 1),
            pool('pool5', 3, 2),
            start(linear('fc6', 4096), 1),
            dropout('dropout6'),
            start(linear('fc7', 4096), 1),
            dropout('dropout7'),
            start(linear('fc8', classes, 'none'), 0),
        ],
    }


def parameter_shapes(architecture):
    """Weights and bias of each layer, found by walking the shapes: name -> PyTorch's shape."""
    shapes = {}
    channels, side = 3, (architecture['crop'], architecture['crop'])
    for spec in architecture['layers']:
        if spec['type'] == 'conv2d':
            groups = architecture['columns'] if spec['reads'] == 'own' else 1
            shapes[f'{spec["name"]}.weight'] = (spec['kernels'], channels // groups, spec['size'], spec['size'])
            shapes[f'{spec["name"]}.bias'] = (spec['kernels'],)
            pads = (spec['pads'][0] + spec['pads'][2], spec['pads'][1] + spec['pads'][3])
            side = tuple((length + pad - spec['size']) // spec['stride'] + 1 for length, pad in zip(side, pads))
            channels = spec['kernels']
        elif spec['type'] == 'maxPool':
            side = tuple((length - spec['size']) // spec['stride'] + 1 for length in side)
        elif spec['type'] == 'linear':
            shapes[f'{spec["name"]}.weight'] = (spec['outputs'], channels * side[0] * side[1])
            shapes[f'{spec["name"]}.bias'] = (spec['outputs'],)
            channels, side = spec['outputs'], (1, 1)
    return shapes


def initial_parameters(architecture, random):
    """As the architecture says, except that biases scatter, so that none can stand for another."""
    initials = {spec['name']: spec['initial'] for spec in architecture['layers'] if 'initial' in spec}
    parameters = {}
    for name, shape in parameter_shapes(architecture).items():
        initial = initials[name.split('.')[0]]
        if name.endswith('.bias'):
            values = initial['bias'] + random.normal(0, 0.05, shape)
        else:
            deviation = initial.get('deviation', initial.get('gain', 0) / math.sqrt(math.prod(shape[1:])))
            values = random.standard_normal(shape, numpy.float32) * numpy.float32(deviation)
        parameters[name] = values.astype(numpy.float32)
    return parameters


def fixture_of(architecture, labels, seed, **options):
    random = numpy.random.default_rng(seed)
    size = architecture['imageSize']
    images = numpy.stack([draw(random, size, label) for label in labels])
    others = numpy.stack([draw(random, size, label) for label in labels * 4])
    defaults = {'momentum': 0.9, 'weightDecay': 0.0005, 'biasLearningRateScale': 2, 'biasWeightDecay': 0}
    return {
        'architecture': architecture,
        'options': {**defaults, **options, 'seed': seed, 'batchSize': len(labels)},
        'images': images,
        'labels': numpy.array(labels, numpy.int32),
        'mean': others.mean(axis=0).astype(numpy.float32),
        'parameters': initial_parameters(architecture, random),
    }


SMALL = {
    'two-columns': lambda: fixture_of(TWO_COLUMNS, [0, 1, 2, 3] * 2, 1, learningRate=0.001),
    'tanh': lambda: fixture_of(TANH, list(range(6)) * 2, 2, learningRate=0.001, biasLearningRateScale=1),
    'odd': lambda: fixture_of(ODD, [0, 1, 2, 3, 4, 2, 0], 5, learningRate=0.003, biasWeightDecay=0.01),
    'orders': lambda: fixture_of(ORDERS, [0, 1, 2, 3, 4, 1, 3], 7, learningRate=0.003),
}

# --- Files ----------------------------------------------------------------------------------------------------------


def write_safetensors(path, tensors, metadata):
    """https://github.com/huggingface/safetensors: length of the header, header as JSON, then the data."""
    types = {'float64': 'F64', 'float32': 'F32', 'int32': 'I32', 'uint8': 'U8'}
    header, offset = {'__metadata__': metadata}, 0
    for name, tensor in tensors.items():
        end = offset + tensor.nbytes
        header[name] = {'dtype': types[tensor.dtype.name], 'shape': tensor.shape, 'data_offsets': [offset, end]}
        offset = end
    encoded = json.dumps(header).encode()
    encoded += b' ' * (-len(encoded) % 8)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(f'{path}.part', 'wb') as file:
        file.write(len(encoded).to_bytes(8, 'little'))
        file.write(encoded)
        for tensor in tensors.values():
            file.write(numpy.ascontiguousarray(tensor).data)
    os.replace(f'{path}.part', path)


def make(path, fixture, samples, steady=True):
    print(os.path.basename(path))
    exact = run(fixture, Exact())
    losses = exact['losses'].tolist()
    print('  losses', ' '.join(f'{loss:.4f}' for loss in losses))
    assert sum(losses[-3:]) < 0.8 * sum(losses[:3]), 'the loss must fall'
    spread = {}
    for precision in ('fp32', 'bf16'):
        spread[precision] = spread_of(fixture, exact, precision, samples)
        check_rounding(fixture, exact, precision, spread[precision])
    if steady:
        check_steadiness(fixture, exact, spread['fp32'])
    # Parameter-sized results in float32: rounding them costs half a unit, well inside the spread.
    stored = {
        name: (value.float() if name.startswith(('gradient.', 'final.')) else value).cpu().numpy()
        for name, value in exact.items()
    }
    inputs = {name: fixture[name] for name in ('images', 'labels', 'mean')}
    parameters = {f'initial.{name}': value for name, value in fixture['parameters'].items()}
    described = {name: fixture[name] for name in ('architecture', 'options')}
    metadata = {'fixture': json.dumps({**described, 'spread': spread})}
    write_safetensors(path, {**inputs, **parameters, **stored}, metadata)


def keep_memory():
    """Starts the script again with a malloc that does not return large blocks: several times as fast at full size."""
    settings = {'MALLOC_MMAP_MAX_': '0', 'MALLOC_TRIM_THRESHOLD_': '20000000000', 'MALLOC_TOP_PAD_': '268435456'}
    if not settings.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **settings})


def make_full(path):
    global device
    pictures = 2
    if torch.cuda.is_available():
        device = torch.device('cuda')
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        pictures = 128
    else:
        keep_memory()
    fixture = fixture_of(paper(1000), [17, 801] * (pictures // 2), 4, learningRate=3e-5)
    make(path, fixture, samples=8, steady=False)  # among millions some stand on the edge


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--full', metavar='OUT', help="make the paper's net at full size instead, in this file")
    arguments = parser.parse_args()
    known = philox(0, [0, 0, 0, 0])  # the published known answer
    assert [int(word) for word in known] == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    if arguments.full:
        make_full(arguments.full)
        return
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'test', 'fixtures')
    for name, fixture in SMALL.items():
        make(os.path.join(folder, f'{name}.safetensors'), fixture(), samples=32)


if __name__ == '__main__':
    sys.exit(main())
