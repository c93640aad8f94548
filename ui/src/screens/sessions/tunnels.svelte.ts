// The tunnels that are kept: which there are, how they stand, and what is asked about them.
import type { TunnelAct, TunnelRoute, TunnelView, WireError } from '../../host/generated';
import { asWireError, type SessionsHost } from '../../host/host';
import { m } from '../../words/words.svelte';

/** Where it listens, with the port that was chosen where it is known. */
export function listens({ route, port }: TunnelView): string {
  const address = route.address === '' ? 'localhost' : route.address;
  const host = address.includes(':') ? `[${address}]` : address;
  return `${host}:${port ?? (route.port === 0 ? '…' : route.port)}`;
}

/** Where it leads. */
export function leads(route: TunnelRoute): string {
  if (route.kind === 'socks') return 'SOCKS5';
  return `${route.toHost.includes(':') ? `[${route.toHost}]` : route.toHost}:${route.toPort}`;
}

/** Only programs of the computer that listens can use it. */
export const isLoopback = (address: string): boolean =>
  address === '' || address === 'localhost' || address === '::1' || address.startsWith('127.');

/** Somebody made it begin, and it is not over. */
export const runs = ({ state }: TunnelView): boolean =>
  state !== null && state.kind !== 'ended' && state.kind !== 'failed';

export class TunnelsState {
  list = $state.raw<readonly TunnelView[]>([]);
  error = $state.raw<WireError | null>(null);
  /** The first that waits for an answer. */
  readonly asking: TunnelView | null = $derived(this.list.find(({ question }) => question !== null) ?? null);
  readonly #host: SessionsHost;
  #tellings = 0;

  constructor(host: SessionsHost) {
    this.#host = host;
  }

  told(tunnels: readonly TunnelView[]): void {
    this.#tellings += 1;
    this.list = tunnels;
  }

  /** Whether it was done. */
  async act(request: TunnelAct): Promise<boolean> {
    try {
      const before = this.#tellings;
      const answer = await this.#host.tunnels(request);
      // What was told while it was on its way is newer.
      if (this.#tellings === before) this.list = answer;
      this.error = null;
      return true;
    } catch (thrown) {
      this.error = asWireError(thrown, m.error_unexpected());
      return false;
    }
  }
}
