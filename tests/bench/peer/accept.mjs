// SPDX-License-Identifier: Apache-2.0
//
// The peer's acceptor: Sitoo's event batches over fastify into a bullmq queue. 200 only after every event of the batch is
// in Redis; jobId makes a repeated event no second job. Settings (environment): PORT, REDIS_SOCKET, EVENTS_USER,
// EVENTS_PASSWORD, PROCESSES (Node's cluster shares the port), TYPES (event types that get a job; empty = all).
import cluster from 'node:cluster';
import { timingSafeEqual } from 'node:crypto';
import { Queue } from 'bullmq';
import fastify from 'fastify';

const processes = Number(process.env.PROCESSES || 1);
const wanted = Buffer.from('Basic ' + Buffer.from(`${process.env.EVENTS_USER}:${process.env.EVENTS_PASSWORD}`).toString('base64'));
const types = new Set((process.env.TYPES || '').split(' ').filter(Boolean));

function authentic(header) {
  const given = Buffer.from(header || '');
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

async function serve() {
  const queue = new Queue('events', {
    connection: { path: process.env.REDIS_SOCKET },
    defaultJobOptions: { attempts: 5, backoff: { type: 'exponential', delay: 1000 } },
  });
  await queue.waitUntilReady();
  const app = fastify({ bodyLimit: 65536, keepAliveTimeout: 30000 });

  app.get('/ready', async () => 'ready\n');
  app.post('/hooks/sitoo', async (request, reply) => {
    if (!authentic(request.headers.authorization)) {
      return reply.code(503).send();
    }
    const events = request.body;
    if (!Array.isArray(events) || events.length === 0 || !events.every((e) => e && typeof e.event_id === 'string')) {
      return reply.code(503).send();
    }
    try {
      for (const event of events) {
        if (types.size === 0 || types.has(event.event_type)) {
          await queue.add(event.event_type, event, { jobId: event.event_id });
        }
      }
    } catch {
      return reply.code(503).send();
    }
    return reply.code(200).send();
  });

  await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) });
  process.on('SIGTERM', async () => {
    await app.close();
    await queue.close();
    process.exit(0);
  });
}

if (processes > 1 && cluster.isPrimary) {
  for (let i = 0; i < processes; i++) {
    cluster.fork();
  }
  process.on('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers)) {
      worker.process.kill('SIGTERM');
    }
  });
} else {
  await serve();
}
