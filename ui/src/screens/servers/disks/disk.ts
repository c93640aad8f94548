// How disks are called.
import type { Disk } from '../../../host/generated';
import { visible } from '../../../words/format';
import { m } from '../../../words/words.svelte';

/** The name by which a disk is confirmed: the cloud gives each one, but it can be taken away. */
export const diskName = (disk: Disk): string => (disk.name === '' ? disk.id : disk.name);

// The cloud's types that can be bought by size alone, in the words of its console.
const typeWord: Record<string, () => string> = {
  SATA: m.disk_type_sata,
  SAS: m.disk_type_sas,
  GPSSD: m.disk_type_gpssd,
  SSD: m.disk_type_ssd,
  ESSD: m.disk_type_essd,
};

/** A type of disk in our words, with the cloud's beside it; one of next year as the cloud calls it. */
export function diskTypeWord(type: string): string {
  const word = typeWord[type];
  return word ? m.disk_type_named({ word: word(), type }) : visible(type);
}
