// A process that is busy with a device. What happens then is its first argument.
import {argv, exit, stdout} from 'node:process';
import {openDevice} from '../../lib/device/device.ts';
import {queueWork} from './queue-work.ts';

const [scenario, id] = argv.slice(2) as [string, string];
const device = openDevice(id);

switch (scenario) {
	// Minutes of work, and a promise that nobody will see settle.
	case 'exit': {
		queueWork(device, 20_000);
		void device.synchronize();
		stdout.write(`${Date.now()}\n`, () => exit(7));
		break;
	}
	// Nothing is awaited, so nothing keeps the process.
	case 'end': {
		queueWork(device, 20_000);
		stdout.write(`${Date.now()}\n`);
		break;
	}
	// A pending promise keeps the process until it has settled; the open device does not.
	case 'await': {
		queueWork(device, 10);
		await device.synchronize();
		stdout.write(`${Date.now()}\n`);
		break;
	}
	default:
		throw new Error(`Unknown scenario '${scenario}'`);
}
