// Learns the classes of a folder of pictures from a net that has learned others, then finds the pictures most like one.
//
//   npx tsx examples/fine-tune.ts run/best.safetensors pictures pictures.safetensors 5
//
// Few pictures are enough: the first layers, which see edges and colours, stay as they are.
import {AlexNet, ImageFolder, recipes} from 'alexnet-cuda';

const [teacher = 'run/best.safetensors', folder = 'pictures', checkpoint = 'pictures.safetensors', epochs = '5'] =
	process.argv.slice(2);

const data = await ImageFolder.open(folder);
const {batchSize} = recipes.small.create;

// The last layer is new and learns ten times as fast as the others; frozen layers keep their weights.
await using model = await AlexNet.from(teacher, {labels: data.labels, freeze: ['conv1', 'conv2'], batchSize});
for await (const report of model.train(data.train, {epochs: Number(epochs), validation: data.validation})) {
	if (report.type === 'epoch') console.log(`epoch ${report.epoch}: loss ${report.loss.toFixed(3)}`);
}
await model.save(checkpoint, {momentum: false});

// What the last hidden layer makes of a picture says what is in it: similar pictures have vectors near each other.
const vectors = new Map<string, Float32Array>();
const paths = data.train.pictures.map(({path}) => path);
for await (const {picture, features, error} of model.features(paths, 'fc7')) {
	if (features) vectors.set(picture, features);
	else console.log(error.message);
}

const distance = (first: Float32Array, second: Float32Array): number =>
	Math.sqrt(first.reduce((sum, value, index) => sum + (value - (second[index] ?? 0)) ** 2, 0));

const [[picture, vector] = ['', new Float32Array()], ...others] = vectors;
const nearest = others
	.map(([path, other]) => ({path, distance: distance(vector, other)}))
	.sort((first, second) => first.distance - second.distance);
console.log(`most like ${picture}:`);
for (const other of nearest.slice(0, 6)) console.log(`${other.distance.toFixed(3)} ${other.path}`);
