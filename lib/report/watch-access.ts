// Who may see a run that is under way, and who may stop it: nobody from another site, nor from another machine without a
// token.
import {createHash, randomBytes, timingSafeEqual} from 'node:crypto';
import type {IncomingMessage} from 'node:http';

export const isLoopback = (host: string): boolean => /^(127(\.\d{1,3}){3}|localhost|::1)$/.test(host);

export class WatchAccess {
	/** In the page, and in its requests. From other machines the page itself asks for it. */
	readonly token = randomBytes(24).toString('base64url');
	readonly #isLoopback: boolean;
	readonly #port: () => number;

	constructor(host: string, port: () => number) {
		this.#isLoopback = isLoopback(host);
		this.#port = port;
	}

	/** Why a request is refused: an HTTP status; undefined where it is not. */
	refusal(request: IncomingMessage, url: URL): number | undefined {
		const {host = '', origin} = request.headers;
		// A name that another site has had pointed at this machine would be in the Host.
		if (this.#isLoopback && !['127.0.0.1', 'localhost', '[::1]'].some((name) => host === `${name}:${this.#port()}`)) {
			return 421;
		}
		const site = request.headers['sec-fetch-site'];
		const isPage = url.pathname === '/';
		if (site !== undefined && site !== 'same-origin' && !(isPage && request.method === 'GET')) return 403;
		const isFromHere = origin === `http://${host}`;
		if (request.method === 'POST' ? !isFromHere : origin !== undefined && !isFromHere) return 403;
		const needsToken = !isPage || !this.#isLoopback;
		return needsToken && !this.#isToken(url.searchParams.get('token') ?? '') ? 401 : undefined;
	}

	/** What goes behind the address that is printed. */
	get query(): string {
		return this.#isLoopback ? '' : `?token=${this.token}`;
	}

	#isToken(given: string): boolean {
		const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
		return timingSafeEqual(digest(given), digest(this.token));
	}
}
