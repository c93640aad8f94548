// A name that tells whose server it is and since when, such as `ada-dev-1124-k3`.

const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';

/** `random`: two bytes or more. The owner's name is kept to what a server's name may hold. */
export function suggestName(owner: string, now: number, random: Uint8Array): string {
  const who = owner
    .toLowerCase()
    .replace(/[^a-z0-9\u4e00-\u9fff]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 32);
  const day = new Date(now);
  const date = `${String(day.getMonth() + 1).padStart(2, '0')}${String(day.getDate()).padStart(2, '0')}`;
  const tail = [...random.slice(0, 2)].map((byte) => LETTERS.charAt(byte % LETTERS.length)).join('');
  return [who, 'dev', date, tail].filter((part) => part !== '').join('-');
}
