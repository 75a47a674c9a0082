// Joins in Redis: a hash a wave, a field an applicant. With `appendfsync always` the answer comes
// after the fsync of the append-only file.

import { createClient } from 'redis';

export async function openStore({ address }) {
  const redis = createClient({ socket: { path: address } });
  redis.on('error', (error) => console.error(String(error)));
  await redis.connect();
  const { appendfsync: policy } = await redis.configGet('appendfsync');
  if (policy !== 'always') throw new Error('Redis would answer before it is durable');

  return {
    /// @returns what is stored, and whether that is the join given.
    async join(wave, applicant, entry, joinedAt) {
      const roster = `wave:${wave}`;
      if (await redis.hSetNX(roster, applicant, `${entry} ${joinedAt}`)) return { fresh: true, entry, joinedAt };
      const [stored, at] = (await redis.hGet(roster, applicant)).split(' ');
      return { fresh: false, entry: stored, joinedAt: Number(at) };
    },
  };
}
