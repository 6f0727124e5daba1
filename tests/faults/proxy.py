# SPDX-License-Identifier: Apache-2.0
"""A relay in front of Redis and of each platform, which can be slow, cut what it passes into slices, swallow everything, close
connections, or lose one request or one answer: the trouble that a network makes, and that neither end can make by itself."""
import asyncio
import contextlib
import os
import socket
import struct
import threading

CHUNK = 65536
HELD_POLL_S = 0.02


class Loss:
    """Once, at the nth request that holds `match`: it or its answer is lost, and the connection with it."""

    def __init__(self, match, what, nth=1):
        self.match, self.what, self.left = match, what, nth

    def hits(self, data):
        self.left -= data.count(self.match)
        return self.left <= 0 < self.left + data.count(self.match)


class Link:
    """One relay: how it behaves now, and what it did. All names may be set from any thread."""

    def __init__(self, target):
        self.target = target          # path of a unix socket, or (host, port)
        self.delay_s = 0.0            # of every piece, both ways
        self.slice = 0                # largest piece; 0 = as it comes
        self.held = False             # takes connections and bytes, passes nothing: a half-open peer
        self.refusing = False         # closes every new connection
        self.losses = []
        self.lost = 0
        self.writers = set()

    def calm(self):
        self.delay_s, self.slice, self.held, self.refusing, self.losses = 0.0, 0, False, False, []


class Proxy:
    """Runs in a thread of its own until close()."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="proxy", daemon=True)
        self.thread.start()
        self.servers = []

    def relay(self, target, listen=None):
        """(link, port): a relay to target, at a unix socket's path, or at a free port of the loopback address."""
        return asyncio.run_coroutine_threadsafe(self._relay(Link(target), listen), self.loop).result(10)

    def reset(self, link):
        """Ends every connection of a link at once."""
        self.loop.call_soon_threadsafe(self._abort, link)

    def close(self):
        async def end():
            for server in self.servers:
                server.close()
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        asyncio.run_coroutine_threadsafe(end(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    # ---------------------------------------------------------------- in the loop

    async def _relay(self, link, listen):
        def serve(reader, writer):
            return self._serve(link, reader, writer)
        if listen is None:
            server = await asyncio.start_server(serve, "127.0.0.1", 0)
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(listen)
            server = await asyncio.start_unix_server(serve, listen)
        self.servers.append(server)
        name = server.sockets[0].getsockname()
        return link, name[1] if listen is None else None

    @staticmethod
    def _kill(writer):
        """RST where there is such a thing."""
        peer = writer.get_extra_info("socket")
        with contextlib.suppress(OSError, AttributeError):
            if peer.family != socket.AF_UNIX:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    def _abort(self, link):
        for writer in list(link.writers):
            self._kill(writer)

    async def _serve(self, link, reader, writer):
        if link.refusing:
            return self._kill(writer)
        try:
            to = link.target
            up, down = await (asyncio.open_unix_connection(to) if isinstance(to, str) else asyncio.open_connection(*to))
        except OSError:
            return self._kill(writer)
        both = (writer, down)
        link.writers.update(both)
        fate = {"doomed": False}
        pumps = [asyncio.ensure_future(self._pump(link, reader, down, fate, True)),
                 asyncio.ensure_future(self._pump(link, up, writer, fate, False))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            link.writers.difference_update(both)
            for one in both:
                self._kill(one) if fate["doomed"] else one.close()
        return None

    async def _pump(self, link, reader, writer, fate, asking):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while data := await reader.read(CHUNK):
                if asking and self._lost(link, data, fate):
                    return
                if not asking and fate["doomed"]:
                    return
                while link.held:
                    await asyncio.sleep(HELD_POLL_S)
                if link.delay_s:
                    await asyncio.sleep(link.delay_s)
                await self._pass(link, writer, data)

    @staticmethod
    def _lost(link, data, fate):
        """True if this request is lost. If its answer is to be, fate says so, and the answer's first byte ends all."""
        for loss in list(link.losses):
            if loss.hits(data):
                link.losses.remove(loss)
                link.lost += 1
                fate["doomed"] = True
                return loss.what == "request"
        return False

    @staticmethod
    async def _pass(link, writer, data):
        size = link.slice or len(data)
        for at in range(0, len(data), size):
            writer.write(data[at:at + size])
            await writer.drain()
            if link.slice:
                await asyncio.sleep(0)
