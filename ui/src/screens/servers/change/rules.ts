// What the backend takes as a name, a tag, a password: said while it is being typed. The backend checks it again.
import { m } from '../../../words/words.svelte';

const characters = (text: string): number => [...text].length;

/** What is wrong with a server's name, in words. */
export function nameFault(name: string): string | null {
  const text = name.trim();
  if (text === '') return m.name_empty();
  if (characters(text) > 64) return m.name_long({ most: 64 });
  return /^[\p{Alphabetic}\p{N}_.-]+$/u.test(text) ? null : m.name_signs();
}

/** Tags that say whose a server is and where it came from: nobody types those. */
const KEPT = ['owner', 'wangcheng-installation', 'wangcheng-operation', 'wangcheng-adopted-by'];
export const isKept = (key: string): boolean => KEPT.includes(key);

export const MOST_TAGS = 10;

/** What is wrong with one tag among others, in words. */
export function tagFault(key: string, value: string, keys: readonly string[]): string | null {
  if (key === '') return m.tag_key_empty();
  if (isKept(key)) return m.tag_key_kept();
  if (characters(key) > 36 || !/^[A-Za-z0-9_\u4e00-\u9fff-]+$/.test(key)) return m.tag_key_wrong();
  if (keys.filter((other) => other === key).length > 1) return m.tag_key_twice();
  if (characters(value) > 43 || !/^[A-Za-z0-9_.\u4e00-\u9fff-]*$/.test(value)) return m.tag_value_wrong();
  return null;
}

export const PASSWORD_LEAST = 8;
export const PASSWORD_MOST = 26;
export const PASSWORD_SIGNS = '!@%-_=+[]:./?';

/** A rule for passwords, and whether this one keeps it. */
export type Rule = { word: string; kept: boolean };

/** `user`: whom it lets in. */
export function passwordRules(password: string, user: string): Rule[] {
  const signs = [...password].some((sign) => PASSWORD_SIGNS.includes(sign));
  const kinds = [/[A-Z]/.test(password), /[a-z]/.test(password), /[0-9]/.test(password), signs];
  const known = [...password].every((sign) => /[A-Za-z0-9]/.test(sign) || PASSWORD_SIGNS.includes(sign));
  const lower = password.toLowerCase();
  const name = user.toLowerCase();
  const length = characters(password);
  return [
    {
      word: m.password_rule_length({ least: PASSWORD_LEAST, most: PASSWORD_MOST }),
      kept: length >= PASSWORD_LEAST && length <= PASSWORD_MOST,
    },
    { word: m.password_rule_kinds(), kept: kinds.filter(Boolean).length >= 3 },
    { word: m.password_rule_signs({ signs: PASSWORD_SIGNS }), kept: password !== '' && known },
    {
      word: m.password_rule_name({ name: user }),
      kept: password !== '' && lower !== name && [...lower].reverse().join('') !== name,
    },
  ];
}

/** A password that keeps all rules: of each kind some, evenly drawn, in an order that nobody can know. */
export function makePassword(random: (most: number) => number): string {
  const kinds = ['ABCDEFGHJKLMNPQRSTUVWXYZ', 'abcdefghijkmnopqrstuvwxyz', '23456789', '@%-_=+.?'];
  const all = kinds.join('');
  const one = (of: string) => of.charAt(random(of.length));
  const made = [...kinds.map(one), ...Array.from({ length: 16 }, () => one(all))];
  for (let at = made.length - 1; at > 0; at -= 1) {
    const other = random(at + 1);
    [made[at], made[other]] = [made[other] ?? '', made[at] ?? ''];
  }
  return made.join('');
}

/** A number from 0 up to, not including, `most`, from the system's source of chance. */
export function chance(most: number): number {
  const limit = 2 ** 32 - (2 ** 32 % most);
  const drawn = new Uint32Array(1);
  do crypto.getRandomValues(drawn);
  while ((drawn[0] ?? 0) >= limit);
  return (drawn[0] ?? 0) % most;
}
