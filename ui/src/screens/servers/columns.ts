// The words over the columns of the list.
import { m } from '../../words/words.svelte';
import type { SortKey } from './view';

export const columnWord: Record<SortKey, () => string> = {
  name: m.column_name,
  state: m.column_state,
  lease: m.column_lease,
  address: m.column_address,
  size: m.column_size,
  cost: m.column_cost,
  owner: m.column_owner,
  created: m.column_created,
  purpose: m.detail_purpose,
  image: m.detail_image,
  flavor: m.detail_flavor,
  zone: m.detail_zone,
};
