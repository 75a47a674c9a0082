// Joins in PostgreSQL: one prepared insert each, whose answer comes after its commit's fsync.

import pg from 'pg';

const insert = `insert into joins (wave, applicant, entry_id, joined_at)
  values ($1, $2, $3, to_timestamp($4)) on conflict do nothing returning wave`;
const find = `select entry_id, extract(epoch from joined_at)::bigint as joined_at
  from joins where wave = $1 and applicant = $2`;

export async function openStore({ address, connections }) {
  const pool = new pg.Pool({ host: address, user: 'postgres', database: 'postgres', max: connections });
  const answer = await pool.query('show synchronous_commit');
  if (answer.rows[0].synchronous_commit !== 'on') throw new Error('PostgreSQL would answer before it is durable');

  return {
    /// @returns what is stored, and whether that is the join given.
    async join(wave, applicant, entry, joinedAt) {
      const id = BigInt.asIntN(64, BigInt(`0x${applicant}`)).toString();
      const made = await pool.query({ name: 'join', text: insert, values: [wave, id, entry, joinedAt] });
      if (made.rowCount === 1) return { fresh: true, entry, joinedAt };
      const found = await pool.query({ name: 'find', text: find, values: [wave, id] });
      const row = found.rows[0];
      return { fresh: false, entry: row.entry_id.replaceAll('-', ''), joinedAt: Number(row.joined_at) };
    },
  };
}
