// Joins in Redis: a hash a wave, a field an applicant. With `appendfsync always` the answer comes
// after the fsync of the append-only file.

import { Redis } from 'ioredis';

export async function openStore({ address }) {
  const redis = new Redis({ path: address, enableAutoPipelining: true });
  const [, policy] = await redis.config('GET', 'appendfsync');
  if (policy !== 'always') throw new Error('Redis would answer before it is durable');

  return {
    /// @returns what is stored, and whether that is the join given.
    async join(wave, applicant, entry, joinedAt) {
      const roster = `wave:${wave}`;
      if (await redis.hsetnx(roster, applicant, `${entry} ${joinedAt}`)) return { fresh: true, entry, joinedAt };
      const [stored, at] = (await redis.hget(roster, applicant)).split(' ');
      return { fresh: false, entry: stored, joinedAt: Number(at) };
    },
  };
}
