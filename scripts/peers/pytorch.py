"""PyTorch, answering questions as scripts/peers/work.ts has them. Pictures lie on the device as floats; augmenting them
is left out.

The net is written as a user of PyTorch would: grouped convolutions for the two columns. Its own local response
normalization crosses the columns, so they are normalized one after the other.
"""

import json
import sys
import time


def say(**line):
    print(json.dumps(line), flush=True)


try:
    import torch
    from torch import nn
except ImportError:
    say(kind='missing', reason="this python3 has no PyTorch: pip install torch, or Debian's python3-torch")
    sys.exit()


class ColumnNorm(nn.Module):
    """LRN within each column.  paper 3.3"""

    def __init__(self):
        super().__init__()
        self.norm = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2)  # PyTorch divides alpha by the size

    def forward(self, x):
        return torch.cat([self.norm(column) for column in x.chunk(2, dim=1)], dim=1)


def alexnet(classes):
    names = {}

    def named(name, layer):
        names[name] = layer
        return layer

    def convolution(name, *shape, **options):
        return [named(name, nn.Conv2d(*shape, **options)), nn.ReLU()]

    net = nn.Sequential(
        nn.ZeroPad2d((0, 3, 0, 3)), *convolution('conv1', 3, 96, 11, stride=4), ColumnNorm(), nn.MaxPool2d(3, 2),
        *convolution('conv2', 96, 256, 5, padding=2, groups=2), ColumnNorm(), nn.MaxPool2d(3, 2),
        *convolution('conv3', 256, 384, 3, padding=1),
        *convolution('conv4', 384, 384, 3, padding=1, groups=2),
        *convolution('conv5', 384, 256, 3, padding=1, groups=2), nn.MaxPool2d(3, 2),
        nn.Flatten(),
        named('fc6', nn.Linear(9216, 4096)), nn.ReLU(), nn.Dropout(),
        named('fc7', nn.Linear(4096, 4096)), nn.ReLU(), nn.Dropout(),
        named('fc8', nn.Linear(4096, classes)),
    )  # fmt: skip
    return net, names


def read_safetensors(path):
    """Tensors by name, fp32."""
    with open(path, 'rb') as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), 'little')))
        data = bytearray(file.read())
    header.pop('__metadata__', None)
    whole = torch.frombuffer(data, dtype=torch.uint8)
    return {
        name: whole[slice(*entry['data_offsets'])].view(torch.float32).reshape(entry['shape'])
        for name, entry in header.items()
        if entry['dtype'] == 'F32'
    }


class Peer:
    def __init__(self, job):
        self.job = job
        self.device = 'cuda' if job['device'].startswith('cuda') else 'cpu'
        self.trains = job['work'] == 'train-step'
        settings = [f"{job['threads']} threads" if self.device == 'cpu' else torch.cuda.get_device_name()]
        torch.set_num_threads(job['threads'])
        tensors = read_safetensors(f"{job['folder']}/net.safetensors")
        self.net, layers = alexnet(len(tensors['fc8.bias']))
        with torch.no_grad():
            for name, layer in layers.items():
                layer.weight.copy_(tensors[f'{name}.weight'])
                layer.bias.copy_(tensors[f'{name}.bias'])
        count = 1 if job['work'] == 'inference-1' else job['batchSize']
        planes = torch.from_file(f"{job['folder']}/planes.f32", size=job['batchSize'] * 3 * 224 * 224)
        self.pictures = planes.reshape(job['batchSize'], 3, 224, 224)[:count].clone().to(self.device)
        self.labels = torch.from_file(f"{job['folder']}/labels.i32", size=job['batchSize'], dtype=torch.int32)
        self.labels = self.labels.long().to(self.device)
        self.net.to(self.device)
        if not self.trains:
            self.net.eval()
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.001, momentum=0.9, weight_decay=0.0005)
        self.plain = self.net
        if job['tuned']:
            torch.backends.cudnn.benchmark = True
            self.net.to(memory_format=torch.channels_last)
            self.pictures = self.pictures.contiguous(memory_format=torch.channels_last)
            settings.append('channels_last')
            if hasattr(torch, 'compile') and self.device == 'cuda':
                self.net = torch.compile(self.net)
                settings.append('torch.compile')
            if self.device == 'cpu' and not self.trains and job['precision'] == 'fp32':
                with torch.no_grad():
                    self.net = torch.jit.optimize_for_inference(torch.jit.trace(self.net, self.pictures))
                settings.append('torch.jit.optimize_for_inference')
        settings.append(job['precision'])
        say(kind='ready', version=torch.__version__, settings=', '.join(settings))

    def autocast(self):
        return torch.autocast(self.device, torch.bfloat16, enabled=self.job['precision'] == 'bf16')

    def loss(self, net):
        with self.autocast():
            return nn.functional.cross_entropy(net(self.pictures).float(), self.labels)

    def outputs(self):
        self.plain.eval()
        with torch.inference_mode(), self.autocast():
            values = self.plain(self.pictures)[0].float().softmax(0).tolist()
        self.plain.train(self.trains)
        return values

    def call(self):
        if self.trains:
            self.optimizer.zero_grad()
            self.loss(self.net).backward()
            self.optimizer.step()
        else:
            with torch.inference_mode(), self.autocast():
                self.net(self.pictures).float().softmax(1).cpu()
        if self.device == 'cuda':
            torch.cuda.synchronize()


def main():
    peer = Peer(json.loads(sys.argv[1]))
    for text in sys.stdin:
        question = json.loads(text)
        if question['ask'] == 'outputs':
            say(kind='outputs', values=peer.outputs())
            continue
        milliseconds = []
        for _ in range(question['calls']):
            start = time.perf_counter()
            peer.call()
            milliseconds.append(1000 * (time.perf_counter() - start))
        say(kind='times', milliseconds=milliseconds)


main()
