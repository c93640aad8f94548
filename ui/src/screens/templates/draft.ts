// A template as it is being written: text in fields, checked as the backend will check it.
import type { Environment, Template } from '../../host/generated';
import { BESIDE_MOST, bytes, textKind } from '../../parts/userdata';
import { m } from '../../words/words.svelte';

export type Draft = Record<Exclude<keyof Template, 'environment'>, string> & { environment: Environment };

export const NEW: Draft = {
  id: '',
  nameZh: '',
  nameEn: '',
  vcpus: '2',
  ramGb: '4',
  image: 'Ubuntu',
  systemDiskGb: '40',
  dataDiskGb: '',
  publicMbps: '5',
  leaseHours: '8',
  environment: 'none',
  userData: '',
};

export const draftOf = (template: Template): Draft => ({
  ...template,
  vcpus: String(template.vcpus),
  ramGb: String(template.ramGb),
  systemDiskGb: String(template.systemDiskGb),
  dataDiskGb: template.dataDiskGb === null ? '' : String(template.dataDiskGb),
  publicMbps: template.publicMbps === null ? '' : String(template.publicMbps),
  leaseHours: String(template.leaseHours),
  userData: template.userData ?? '',
});

/** A copy under an id that is free. */
export function copyOf(template: Template, taken: ReadonlySet<string>): Draft {
  const stem = template.id.slice(0, 34);
  let id = `${stem}-copy`;
  for (let n = 2; taken.has(id); n += 1) id = `${stem}-copy-${n}`;
  return {
    ...draftOf(template),
    id: id.slice(0, 40),
    nameZh: m.template_copy_of({ name: template.nameZh }, { locale: 'zh-CN' }).slice(0, 60),
    nameEn: m.template_copy_of({ name: template.nameEn }, { locale: 'en' }).slice(0, 60),
  };
}

/** The least and the most of each number, and whether it may be left out. */
export const NUMBERS = {
  vcpus: { from: 1, to: 1024, optional: false },
  ramGb: { from: 1, to: 65_536, optional: false },
  systemDiskGb: { from: 1, to: 1024, optional: false },
  dataDiskGb: { from: 10, to: 32_768, optional: true },
  publicMbps: { from: 1, to: 300, optional: true },
  leaseHours: { from: 1, to: 3 * 365 * 24 - 1, optional: false },
} as const;
export type NumberField = keyof typeof NUMBERS;

function number(text: string): number | null {
  return /^\s*\d{1,9}\s*$/.test(text) ? Number(text) : null;
}

/** What is wrong with each field, in words; fields in which nothing is are not there. */
export function faults(draft: Draft, taken: ReadonlySet<string>): Partial<Record<keyof Draft, string>> {
  const found: Partial<Record<keyof Draft, string>> = {};
  const length = (text: string) => [...text.trim()].length;
  if (!/^[a-z0-9-]{1,40}$/.test(draft.id)) found.id = m.template_id_wrong();
  else if (taken.has(draft.id)) found.id = m.template_id_taken();
  for (const field of ['nameZh', 'nameEn'] as const) {
    if (length(draft[field]) < 1 || length(draft[field]) > 60) found[field] = m.template_name_wrong();
  }
  if (length(draft.image) < 1 || length(draft.image) > 128) found.image = m.template_image_wrong();
  const text = draft.userData;
  if (text.trim() !== '' && bytes(text) > BESIDE_MOST) found.userData = m.user_data_long({ most: String(BESIDE_MOST) });
  else if (text.trim() !== '' && textKind(text) === 'unknown') found.userData = m.user_data_unknown();
  for (const field of Object.keys(NUMBERS) as NumberField[]) {
    const { from, to, optional } = NUMBERS[field];
    if (optional && draft[field].trim() === '') continue;
    const value = number(draft[field]);
    if (value === null || value < from || value > to) found[field] = m.template_number_wrong({ from, to });
  }
  return found;
}

/** The template that a draft without faults means. */
export const templateOf = (draft: Draft): Template => ({
  id: draft.id,
  nameZh: draft.nameZh.trim(),
  nameEn: draft.nameEn.trim(),
  image: draft.image.trim(),
  vcpus: number(draft.vcpus) ?? 0,
  ramGb: number(draft.ramGb) ?? 0,
  systemDiskGb: number(draft.systemDiskGb) ?? 0,
  dataDiskGb: number(draft.dataDiskGb),
  publicMbps: number(draft.publicMbps),
  leaseHours: number(draft.leaseHours) ?? 0,
  environment: draft.environment,
  ...(draft.userData.trim() === '' ? {} : { userData: draft.userData }),
});
