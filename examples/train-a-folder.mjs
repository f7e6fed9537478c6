// Learns the classes of a folder of pictures, pictures/<class>/*.jpg, and writes what it has learned to a file.
//
//   node examples/train-a-folder.mjs pictures pictures.safetensors 20
//
// Plain JavaScript: an ES module (.mjs, or "type": "module" in package.json), and try/finally where TypeScript has
// `await using`. train-a-folder.ts is the same in TypeScript.
import {AlexNet, ImageFolder, recipes} from 'alexnet-cuda';

const [folder = 'pictures', checkpoint = 'pictures.safetensors', epochs = '20'] = process.argv.slice(2);

// A tenth of each class is held out, unless the folder has parts of its own: pictures/train and pictures/val.
const data = await ImageFolder.open(folder);
for (const remark of data.remarks) console.log(remark);

// `small` is for fewer than 100,000 pictures; without it, the paper's start and rates.
const model = await AlexNet.create({labels: data.labels, devices: 'cpu', ...recipes.small.create});
try {
	const training = {...recipes.small.train, epochs: Number(epochs), validation: data.validation};
	for await (const report of model.train(data.train, training)) {
		if (report.type === 'step') continue;
		const heldOut = report.validation
			? `, of held-out pictures right ${(100 * report.validation.top1).toFixed(1)} %`
			: '';
		console.log(`epoch ${report.epoch}: loss ${report.loss.toFixed(3)}${heldOut}`);
	}

	// For use alone, without what going on with the training would need, the file is half as large.
	await model.save(checkpoint, {momentum: false});

	const [picture] = data.validation.pictures;
	if (picture) {
		const [best] = await model.classify(picture.path, {top: 1, crops: 10});
		console.log(`${picture.path}: ${best?.label} with ${(100 * (best?.probability ?? NaN)).toFixed(1)} %`);
	}
} finally {
	// Gives the net's memory back; without it the process keeps it until it ends.
	await model.dispose();
}
