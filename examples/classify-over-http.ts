// Answers POST requests with the classes of the picture that is their body, as JSON.
//
//   npx tsx examples/classify-over-http.ts pictures.safetensors 8080
//   curl --data-binary @cat.jpg http://localhost:8080/
//
// Every request calls classify() for itself. While a batch is being computed, the requests that come wait and make up
// the next one: under load batches grow, alone a picture waits for nobody.
import {createServer, type IncomingMessage} from 'node:http';
import type {AddressInfo} from 'node:net';
import {AlexNet, isAlexNetError} from 'alexnet-cuda';

const [checkpoint = 'pictures.safetensors', port = '8080'] = process.argv.slice(2);

/** A picture's bytes, at most. */
const most = 16 * 2 ** 20;

// Without momentum and gradients a net takes a third of the memory. `batchSize` bounds how many requests share a batch.
const model = await AlexNet.load(checkpoint, {inferenceOnly: true, devices: 'cpu', batchSize: 16});

/** @returns the request's body, or undefined where it is too large */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
	const chunks: Buffer[] = [];
	let bytes = 0;
	for await (const chunk of request as AsyncIterable<Buffer>) {
		bytes += chunk.length;
		if (bytes > most) return undefined;
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
}

/** Status and answer. */
async function answer(request: IncomingMessage, signal: AbortSignal): Promise<[number, unknown]> {
	if (request.method !== 'POST') return [405, {error: 'POST the bytes of a picture.'}];
	const body = await bodyOf(request);
	if (!body) return [413, {error: `A picture may have ${most} bytes.`}];
	try {
		return [200, await model.classify(body, {top: 5, signal})];
	} catch (error) {
		// What is wrong with the picture is the client's to know, everything else is ours.
		if (isAlexNetError(error, 'ALEXNET_PICTURE')) return [415, {error: error.message, code: error.code}];
		throw error;
	}
}

const server = createServer((request, response) => {
	// A client that leaves takes its picture out of the queue.
	const left = new AbortController();
	response.on('close', () => {
		left.abort();
	});
	answer(request, left.signal).then(
		([status, content]) => {
			response.writeHead(status, {'content-type': 'application/json'}).end(JSON.stringify(content));
		},
		(error: unknown) => {
			if (left.signal.aborted) return;
			console.error(error);
			response.writeHead(500).end();
		},
	);
});

server.listen(Number(port), () => {
	console.log(`listening on http://localhost:${(server.address() as AddressInfo).port}/`);
});

// New connections are refused, requests under way answered, then the net's memory goes back.
process.once('SIGTERM', () => {
	server.close(() => void model.dispose());
});
