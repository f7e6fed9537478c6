// Figures with words in them: SVG, which a viewer draws with its own fonts, or a PNG made of it here.
import {extname} from 'node:path';
import sharp from 'sharp';
import {filePath, where} from '../base/check.ts';
import {AlexNetError} from '../base/errors.ts';
import {writeWhole} from '../checkpoint/write-whole.ts';
import type {SeenPixels} from './shown-pictures.ts';

const endings = ['.png', '.svg'];

/** The path of a figure. */
export const figurePath = where(
	filePath,
	(path) => endings.includes(extname(path).toLowerCase()),
	`a path that ends in ${endings.join(' or ')}`,
);

/** Names of classes may be anything; XML has no control characters. */
export function escaped(text: string): string {
	const entities: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'};
	return text
		.replaceAll(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, '\uFFFD')
		.replaceAll(/[&<>"]/g, (found) => entities[found] ?? '');
}

export async function pictureAt(
	{pixels}: SeenPixels,
	{x, y, side}: {x: number; y: number; side: number},
): Promise<string> {
	const {data, width, height} = pixels;
	const png = await sharp(data, {raw: {width, height, channels: 3}})
		.resize(side, side)
		.png()
		.toBuffer();
	const address = `data:image/png;base64,${png.toString('base64')}`;
	return `<image x="${x}" y="${y}" width="${side}" height="${side}" href="${address}"/>`;
}

/**
 * Writes a figure by the ending of its name.
 *
 * @param parts what it is made of, on white
 * @throws ALEXNET_ARGUMENT for a PNG where no font is installed, ALEXNET_CHECKPOINT where it cannot be written.
 */
export async function writeFigure(
	path: string,
	{width, height, parts}: {width: number; height: number; parts: readonly string[]},
): Promise<void> {
	const svg = inSvg(width, height, parts);
	if (extname(path).toLowerCase() === '.svg') return writeWhole(path, (write) => write(svg));
	await requireFont(path);
	// Twice as many pixels: letters of 12 pixels are hard to read.
	const png = await sharp(svg, {density: 144, unlimited: true}).flatten({background: '#ffffff'}).png().toBuffer();
	await writeWhole(path, (write) => write(png));
}

function inSvg(width: number, height: number, parts: readonly string[]): Buffer {
	const fonts = 'font-family="DejaVu Sans, Liberation Sans, Arial, sans-serif"';
	const frame = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
	const paper = `<rect width="${width}" height="${height}" fill="#ffffff"/>`;
	return Buffer.from(
		[`<svg xmlns="http://www.w3.org/2000/svg" ${frame} ${fonts}>`, paper, ...parts, '</svg>\n'].join('\n'),
	);
}

/** Without fonts the same box stands for every letter. */
async function requireFont(path: string): Promise<void> {
	const drawn = async (letter: string): Promise<Buffer> =>
		sharp(inSvg(40, 40, [`<text x="5" y="30" font-size="24">${letter}</text>`]))
			.raw()
			.toBuffer();
	const [narrow, wide] = [await drawn('i'), await drawn('W')];
	if (!narrow.equals(wide)) return;
	const message = `No font is installed here to write names in ${path}. Install one (apt-get install fonts-dejavu-core), or name a path that ends in .svg: who looks at that has fonts.`;
	throw new AlexNetError('ALEXNET_ARGUMENT', message);
}
