// SPDX-License-Identifier: Apache-2.0
//
// The peer's worker: one job per event, as the usual queue is used. A job reads its Sitoo order, and for each row the
// SKU's stock, and puts the sum as an absolute level to BigCommerce. bullmq's limiter keeps to BigCommerce's quota, one
// Sitoo call at a time keeps to Sitoo's. Which BigCommerce item a SKU is, is read once for all SKUs before the first job.
//
// STOCK says which warehouses a row's stock is read of:
//   all       every warehouse that feeds a location that the sale touched
//   touched   only the one that sold; what the others hold is remembered from a read before the first job. Right only as
//             long as this is the one process that sees sales.
//
// Other settings (environment): REDIS_SOCKET, MAPPING (onepool's mapping file), QUOTA, WINDOW_MS, CONCURRENCY,
// SITOO_API_URL, SITOO_API_ID, SITOO_API_PASSWORD, SITOO_ACCOUNT_ID, SITOO_SITE_ID, BIGCOMMERCE_API_URL,
// BIGCOMMERCE_STORE_HASH, BIGCOMMERCE_ACCESS_TOKEN.
import { readFileSync } from 'node:fs';
import { Worker } from 'bullmq';

const env = process.env;
const windowMs = Number(env.WINDOW_MS);
const mapping = JSON.parse(readFileSync(env.MAPPING, 'utf8'));
const locations = new Map(mapping.locations.map((l) => [l.bigcommerce_location_id, l.sitoo_warehouse_ids]));
for (const p of mapping.pickup || []) {
  locations.set(p.bigcommerce_location_id, [p.sitoo_warehouse_id]);
}
const warehouses = [...new Set([...locations.values()].flat())];

const sitooBase = `${env.SITOO_API_URL}/accounts/${env.SITOO_ACCOUNT_ID}/sites/${env.SITOO_SITE_ID}`;
const sitooHeaders = { Authorization: 'Basic ' + Buffer.from(`${env.SITOO_API_ID}:${env.SITOO_API_PASSWORD}`).toString('base64') };
const bigBase = `${env.BIGCOMMERCE_API_URL}/stores/${env.BIGCOMMERCE_STORE_HASH}`;
const bigHeaders = { 'X-Auth-Token': env.BIGCOMMERCE_ACCESS_TOKEN, 'Content-Type': 'application/json' };

// Sitoo answers 429 to a second call in flight on a key: each waits for the one before.
let sitooTail = Promise.resolve();
function sitoo(path) {
  const mine = sitooTail.then(async () => {
    const answer = await fetch(sitooBase + path, { headers: sitooHeaders });
    if (!answer.ok) {
      throw new Error(`Sitoo ${answer.status} ${path}`);
    }
    return answer.json();
  });
  sitooTail = mine.catch(() => {});
  return mine;
}

async function bigcommerce(path, options = {}) {
  const answer = await fetch(bigBase + path, { headers: bigHeaders, ...options });
  if (answer.status === 429) {
    await worker.rateLimit(Number(answer.headers.get('x-rate-limit-time-reset-ms')) || windowMs);
    throw Worker.RateLimitError();
  }
  if (!answer.ok) {
    throw new Error(`BigCommerce ${answer.status} ${path}: ${await answer.text()}`);
  }
  return answer.json();
}

// {sku: {id of the level}} of all variants, and how their stock is tracked.
const identities = new Map();
async function readIdentities() {
  const single = new Map();
  for (let page = 1, pages = 1; page <= pages; page++) {
    const answer = await bigcommerce(`/v3/catalog/products?limit=250&page=${page}`);
    pages = answer.meta.pagination.total_pages;
    answer.data.forEach((p) => single.set(p.id, p.inventory_tracking === 'product'));
  }
  for (let page = 1, pages = 1; page <= pages; page++) {
    const answer = await bigcommerce(`/v3/catalog/variants?limit=250&page=${page}`);
    pages = answer.meta.pagination.total_pages;
    for (const v of answer.data) {
      identities.set(v.sku, single.get(v.product_id) ? { product_id: v.product_id } : { variant_id: v.id });
    }
  }
}

const remembered = new Map(); // "warehouse|sku" -> available
async function readAllStock() {
  for (const warehouse of warehouses) {
    for (let start = 0, total = 1; start < total; start += 1000) {
      const answer = await sitoo(`/warehouses/${warehouse}/warehouseitems.json?start=${start}&num=1000&fields=sku,decimalavailable`);
      total = answer.totalcount;
      answer.items.forEach((i) => remembered.set(`${warehouse}|${i.sku}`, Number(i.decimalavailable)));
    }
  }
}

async function available(sku, touched) {
  const stock = new Map(warehouses.map((w) => [w, remembered.get(`${w}|${sku}`) || 0]));
  const concerned = [...locations.values()].filter((of) => of.includes(touched));
  const wanted = env.STOCK === 'touched' ? [touched] : [...new Set(concerned.flat())];
  for (const warehouse of wanted) {
    const answer = await sitoo(`/warehouses/${warehouse}/warehouseitems.json?sku=${encodeURIComponent(sku)}&num=10`);
    stock.set(warehouse, answer.items.length ? Number(answer.items[0].decimalavailable) : 0);
    remembered.set(`${warehouse}|${sku}`, stock.get(warehouse));
  }
  return stock;
}

async function handle(job) {
  const order = await sitoo(`/orders/${job.data.data.order_id}.json`);
  for (const row of order.orderitems) {
    const identity = identities.get(row.sku);
    if (!identity) {
      continue;
    }
    const stock = await available(row.sku, order.warehouseid);
    const items = [...locations].filter(([, of]) => of.includes(order.warehouseid)).map(([location_id, of]) => ({
      location_id, ...identity, quantity: Math.max(0, Math.floor(of.reduce((sum, w) => sum + stock.get(w), 0))),
    }));
    if (items.length) {
      await bigcommerce('/v3/inventory/adjustments/absolute',
        { method: 'PUT', body: JSON.stringify({ reason: 'stock', items }) });
    }
  }
}

const worker = new Worker('events', handle, {
  autorun: false,
  connection: { path: env.REDIS_SOCKET, maxRetriesPerRequest: null },
  concurrency: Number(env.CONCURRENCY),
  limiter: { max: Number(env.QUOTA), duration: windowMs },
});
worker.on('failed', (job, error) => console.error(`failed: ${job?.id}: ${error.message}`));
worker.on('error', (error) => console.error(`error: ${error.message}`));
process.on('SIGTERM', async () => {
  await worker.close(true);
  process.exit(0);
});
await readIdentities();
if (env.STOCK === 'touched') {
  await readAllStock();
}
console.error('ready');
worker.run();
