// What this window keeps for itself between starts: how lists are shown, never anything of a server or an account's key.
// It is convenience only, so a storage that refuses or holds nonsense is the same as an empty one.

const PREFIX = 'wangcheng.';

/** What was kept under this name; undefined when there is nothing that can be read. */
export function kept(name: string): unknown {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

/** Keeps it for the next start, where the storage lets us. */
export function keep(name: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Full or forbidden: the next start shows the usual.
  }
}
