// A list that may be long, read in pages as it is looked at. Rows that are not read yet have their room already.
import { Loading } from '../../parts/loading.svelte';

/** Some rows from one on, and how many there are in all. */
export type Page<T> = { rows: readonly T[]; count: number; asOf: string };
type Read<T> = (skip: number, limit: number) => Promise<Page<T>>;

/** As many as one answer has. */
const SIZE = 500;
/** So many pages around those in view are kept. */
const NEAR = 4;
/** More rows would be taller than a page can be. */
const MOST = 1_000_000;

export class Pages<T> {
  /** What was read last, by number of the page. */
  readonly #loading = new Loading<{ pages: ReadonlyMap<number, readonly T[]>; count: number; asOf: string }>();
  readonly count: number = $derived(this.#loading.value?.count ?? 0);
  /** Rows that can be scrolled to. */
  readonly shown: number = $derived(Math.min(this.count, MOST));
  readonly asOf: string | null = $derived(this.#loading.value?.asOf ?? null);
  readonly first: T | null = $derived(this.at(0) ?? null);
  #read: Read<T> | null = null;
  #looked = { first: 0, last: 1 };

  get error() {
    return this.#loading.error;
  }

  get busy(): boolean {
    return this.#loading.busy;
  }

  /** The row of a number, if it was read. */
  at(index: number): T | undefined {
    return this.#loading.value?.pages.get(Math.floor(index / SIZE))?.[index % SIZE];
  }

  /** Whether one of the rows that were read is such a one. */
  some(is: (row: T) => boolean): boolean {
    return [...(this.#loading.value?.pages.values() ?? [])].some((rows) => rows.some(is));
  }

  /** Another question, or the same one anew: the first page, and what is looked at. */
  async load(read: Read<T>, anew: boolean): Promise<void> {
    this.#read = read;
    if (!anew) this.#looked = { first: 0, last: 1 };
    await this.#take(this.#numbers(), new Map());
  }

  /** Rows come into view. */
  look(first: number, last: number): void {
    this.#looked = { first, last };
    const pages = this.#loading.value?.pages;
    if (!pages || this.busy) return;
    const missing = this.#missing(pages);
    if (missing.length > 0) void this.#take(missing, pages);
  }

  #missing(pages: ReadonlyMap<number, readonly T[]>): number[] {
    return this.#numbers().filter((number) => !pages.has(number));
  }

  /** The row of a number, read now where it was not. */
  async reach(index: number): Promise<T | undefined> {
    if (this.at(index) === undefined) {
      this.#looked = { first: index, last: index + 1 };
      const pages = this.#loading.value?.pages ?? new Map<number, readonly T[]>();
      await this.#take(this.#missing(pages), pages);
    }
    return this.at(index);
  }

  #numbers(): number[] {
    const [first, last] = [
      Math.floor(this.#looked.first / SIZE),
      Math.floor(Math.max(0, this.#looked.last - 1) / SIZE),
    ];
    return [...new Set([0, ...Array.from({ length: last - first + 1 }, (_, nth) => first + nth)])];
  }

  async #take(numbers: readonly number[], known: ReadonlyMap<number, readonly T[]>): Promise<void> {
    const read = this.#read;
    if (!read) return;
    await this.#loading.load(async () => {
      // Those far away are read again when they come into view.
      const [least, most] = [Math.min(...numbers) - NEAR, Math.max(...numbers) + NEAR];
      const pages = new Map([...known].filter(([number]) => number === 0 || (number >= least && number <= most)));
      let [count, asOf] = [0, ''];
      for (const number of numbers) {
        const page = await read(number * SIZE, SIZE);
        pages.set(number, page.rows);
        ({ count, asOf } = page);
      }
      return { pages, count, asOf };
    });
    // It may have been scrolled on meanwhile.
    if (!this.error) this.look(this.#looked.first, this.#looked.last);
  }
}
