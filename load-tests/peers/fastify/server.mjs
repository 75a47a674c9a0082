// node server.mjs --store postgres|redis --address SOCKET --key HEX --port N --workers N --connections N
//
// POST /v1/waves/{n}/join before a store that does the durable part. A cluster of workers, as
// Node.js advises for more than one core; each has its own connections to the store.

import cluster from 'node:cluster';
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import Fastify from 'fastify';
import { applicantOf } from './token.mjs';

const { values: flags } = parseArgs({
  options: {
    store: { type: 'string' },
    address: { type: 'string' },
    key: { type: 'string' },
    port: { type: 'string' },
    workers: { type: 'string' },
    connections: { type: 'string' },
  },
});

const receipt = {
  type: 'object',
  properties: {
    wave: { type: 'integer' },
    entry_id: { type: 'string' },
    region: { type: 'string' },
    joined_at: { type: 'string' },
    state: { type: 'string' },
  },
};

const textOf = (seconds) => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;

async function work() {
  const key = Buffer.from(flags.key, 'hex');
  const { openStore } = await import(`./${flags.store}.mjs`);
  const store = await openStore({ address: flags.address, connections: Number(flags.connections) });
  const app = Fastify({ logger: false, keepAliveTimeout: 0, bodyLimit: 16384 });

  app.post('/v1/waves/:wave/join', { schema: { response: { 200: receipt, 201: receipt } } }, async (request, reply) => {
    const applicant = applicantOf(request.headers.authorization, key);
    if (!applicant) return reply.code(401).send({ code: 'token_invalid' });
    const wave = Number(request.params.wave);
    if (!Number.isInteger(wave) || wave < 1 || wave > 9999) return reply.code(404).send({ code: 'not_found' });
    const entry = randomUUID().replaceAll('-', '');
    const joined = await store.join(wave, applicant, entry, Math.floor(Date.now() / 1000));
    reply.code(joined.fresh ? 201 : 200);
    return { wave, entry_id: joined.entry, region: '3174', joined_at: textOf(joined.joinedAt), state: 'joined' };
  });
  await app.listen({ host: '127.0.0.1', port: Number(flags.port), backlog: 1024 });
}

function lead() {
  const workers = Number(flags.workers);
  let listening = 0;
  const end = (code) => {
    for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGTERM');
    process.exit(code);
  };
  cluster.on('listening', () => {
    if (++listening === workers) console.log(`ready http://127.0.0.1:${flags.port}`);
  });
  // A measurement with fewer workers than it says would be a lie.
  cluster.on('exit', () => end(1));
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => end(0));
  for (let started = 0; started < workers; ++started) cluster.fork();
}

if (cluster.isPrimary) lead();
else await work();
