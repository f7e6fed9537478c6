import sharp from 'sharp';
import {filePath, where} from '../base/check.ts';
import {writeWhole} from '../checkpoint/write-whole.ts';
import {decodePicture, type PictureInput} from '../data/decode.ts';

/** Of a picture to draw. */
export const pngPath = where(filePath, (path) => path.toLowerCase().endsWith('.png'), 'a path that ends in .png');

/** Side of a picture in the grid, and the space between, in pixels. */
const side = 128;
const gap = 6;
/** Sets the pictures that were asked for apart from those that were found. */
const wideGap = 4 * gap;

/** A picture, and those that are to stand beside it. */
export interface GridRow {
	readonly picture: PictureInput;
	readonly others: readonly PictureInput[];
}

/**
 * Draws a PNG: a row for each picture, those like it to its right.                                     paper 6.1, figure 4
 *
 * @throws ALEXNET_PICTURE where one of them cannot be read, ALEXNET_CHECKPOINT where the grid cannot be written.
 */
export async function drawGrid(rows: readonly GridRow[], path: string): Promise<void> {
	const columns = Math.max(...rows.map(({others}) => others.length));
	const width = side + (columns > 0 ? wideGap + columns * (side + gap) - gap : 0);
	const height = rows.length * (side + gap) - gap;
	const cells = rows.flatMap(({picture, others}, row) => {
		const top = row * (side + gap);
		const beside = others.map((other, column) => ({from: other, top, left: side + wideGap + column * (side + gap)}));
		return [{from: picture, top, left: 0}, ...beside];
	});
	const raw = {width: side, height: side, channels: 3} as const;
	const layers = [];
	for (const cell of cells) {
		const pixels = await decodePicture(cell.from, side);
		layers.push({input: Buffer.from(pixels), raw, top: cell.top, left: cell.left});
	}
	const canvas = sharp({create: {width, height, channels: 3, background: '#ffffff'}});
	const png = await canvas.composite(layers).removeAlpha().png().toBuffer();
	await writeWhole(path, (write) => write(png));
}
