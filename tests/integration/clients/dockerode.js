// SPDX-License-Identifier: BSD-2-Clause
// What a Node program does with an engine, through dockerode. Writes what it saw as JSON; DOCKER_SOCKET is the socket.
'use strict';

const Docker = require('dockerode');
const { PassThrough } = require('stream');
const { execFileSync } = require('child_process');

const docker = new Docker({ socketPath: process.env.DOCKER_SOCKET });

function text(stream) {
	return new Promise((resolve, reject) => {
		let got = '';
		stream.on('data', (piece) => { got += piece; });
		stream.on('end', () => resolve(got));
		stream.on('error', reject);
	});
}

// Output without a terminal comes in frames: standard output and error apart.
function apart(stream) {
	const out = new PassThrough(), err = new PassThrough();
	docker.modem.demuxStream(stream, out, err);
	stream.on('end', () => { out.end(); err.end(); });
	return Promise.all([text(out), text(err)]);
}

async function attachToStdin() {
	const container = await docker.createContainer({
		Image: 'bb', Cmd: ['sh', '-c', 'read line; echo got $line; exit 3'], OpenStdin: true, StdinOnce: true,
	});
	const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
	const output = apart(stream);
	const ended = container.wait({ condition: 'next-exit' });
	await container.start();
	stream.write('word\n');
	stream.end();
	const seen = [await output, (await ended).StatusCode];
	await container.remove();
	return seen;
}

async function execInside(container, options) {
	const exec = await container.exec({
		Cmd: ['sh', '-c', 'cat; echo end >&2; exit 4'], AttachStdin: options.hijack === true, AttachStdout: true,
		AttachStderr: true,
	});
	const stream = await exec.start(options);
	const output = apart(stream);
	if (options.hijack) {
		stream.write('input\n');
		stream.end();
	}
	return [await output, (await exec.inspect()).ExitCode];
}

async function runToTheEnd() {
	const sink = new PassThrough();
	const output = text(sink);
	const [result, container] = await docker.run('bb', ['sh', '-c', 'echo ran; exit 2'], sink, { Tty: true });
	sink.end();
	await container.remove();
	return [result.StatusCode, await output];
}

async function followLogs() {
	const container = await docker.createContainer({ Image: 'bb', Cmd: ['sh', '-c', 'echo 1; sleep 0.3; echo 2'] });
	await container.start();
	const seen = await apart(await container.logs({ follow: true, stdout: true, stderr: true }));
	await container.remove();
	return seen;
}

async function firstEvent() {
	const events = await docker.getEvents({ filters: { event: ['create'] } });
	const container = await docker.createContainer({ Image: 'bb', name: 'evented', Cmd: ['true'] });
	const event = await new Promise((resolve) => events.once('data', resolve));
	events.destroy();
	await container.remove();
	return JSON.parse(event).Actor.Attributes.name;
}

async function build() {
	const tar = new PassThrough();
	tar.end(execFileSync('tar', ['-c', '-C', process.env.DOCKER_CONTEXT, '.']));
	const stream = await docker.buildImage(tar, { t: 'built', networkmode: 'none' });
	const lines = await new Promise((resolve, reject) =>
		docker.modem.followProgress(stream, (error, seen) => (error ? reject(error) : resolve(seen))));
	await docker.getImage('built').remove();
	return lines.some((line) => /from-the-build/.test(line.stream || ''));
}

async function main() {
	const seen = { ping: String(await docker.ping()) };
	const web = await docker.createContainer({
		Image: 'bb', name: 'web', Cmd: ['sleep', '1000'], Labels: { a: 'b' },
	});
	await web.start();
	seen.list = (await docker.listContainers({ filters: { label: ['a=b'] } })).map((row) => row.Names);
	seen.inspect = (await web.inspect()).State.Running;
	seen.attach = await attachToStdin();
	seen.exec = await execInside(web, { hijack: true, stdin: true });
	seen.execPlain = await execInside(web, {});
	seen.run = await runToTheEnd();
	seen.logs = await followLogs();
	seen.archive = (await text(await web.getArchive({ path: '/etc/passwd' }))).includes('root:x:0:0');
	seen.event = await firstEvent();
	seen.build = await build();
	seen.missing = await docker.getContainer('missing').inspect().catch((e) => [e.statusCode, e.reason]);
	await web.rename({ name: 'site' });
	await web.stop({ t: 0 });
	await web.remove();
	process.stdout.write(JSON.stringify(seen));
}

main().catch((error) => {
	console.error(error);
	process.exit(1);
});
