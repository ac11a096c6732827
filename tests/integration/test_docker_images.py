# SPDX-License-Identifier: BSD-2-Clause
"""The docker command line on images and builds, through `unrestricted` and without."""
import pytest

DOCKERFILE = "FROM bb\nCOPY file /file\nRUN cat /file > /copy && echo from-the-build\nCMD cat /copy\n"


@pytest.fixture
def context(tmp_path):
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "file").write_text("content\n")
    return str(tmp_path)


def test_images_are_listed_inspected_tagged_and_removed(same):
    seen = same(lambda docker: (
        docker.run("images"), docker.run("image", "inspect", "--format", "{{.RepoTags}}", "bb"),
        docker.run("tag", "bb", "other:1"), docker.run("history", "--no-trunc", "other:1"),
        docker.run("rmi", "other:1"), docker.run("rmi", "other:1")))
    assert "bb " in seen[0].out and seen[1].out == "[bb:latest]\n"
    assert seen[4].code == 0 and seen[5].code == 1 and "No such image" in seen[5].err


def test_save_and_load(same, tmp_path):
    def scenario(docker):
        saved = str(tmp_path / "saved.tar")
        docker.ok("tag", "bb", "kept:1")
        seen = [docker.run("save", "-o", saved, "kept:1"), docker.run("rmi", "kept:1")]
        with open(saved, "rb") as tar:
            seen.append(docker.run("load", stdin=tar))
        return [*seen, docker.run("run", "--rm", "kept:1", "echo", "alive")]
    seen = same(scenario)
    assert "Loaded image: kept:1" in seen[2].out
    assert seen[3] == (0, "alive\n", "")


def test_export_import_and_commit(same, tmp_path):
    def scenario(docker):
        docker.ok("run", "--name", "made", "bb", "sh", "-c", "echo mark > /mark")
        tar = str(tmp_path / "exported.tar")
        seen = [docker.run("export", "-o", tar, "made")]
        with open(tar, "rb") as exported:
            seen.append(docker.run("import", "--change", "CMD cat /mark", "-", "again:1", stdin=exported))
        seen += [docker.run("commit", "-m", "why", "made", "again:2"), docker.run("run", "--rm", "again:1"),
                 docker.run("run", "--rm", "again:2", "cat", "/mark")]
        return seen
    seen = same(scenario)
    assert [done.out for done in seen[3:]] == ["mark\n", "mark\n"]


def test_the_classic_builder(same, context):
    seen = same(lambda docker: (
        docker.run("build", "--network", "none", "-t", "built", context), docker.run("run", "--rm", "built")))
    assert "from-the-build" in seen[0].out
    assert seen[1] == (0, "content\n", "")


def test_the_classic_builder_with_a_large_context(same, tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY big /\n")
    (tmp_path / "big").write_bytes(b"0123456789abcdef" * (1 << 20))
    done = same(lambda docker: docker.run("build", "-q", "-t", "large", str(tmp_path)))
    assert done.code == 0


def test_a_failing_build_fails_alike(same, tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM bb\nRUN exit 3\n")
    done = same(lambda docker: docker.run("build", "--network", "none", str(tmp_path)))
    assert done.code != 0 and "returned a non-zero code: 3" in done.err


def test_buildkit_over_session_and_grpc(same, context):
    def scenario(docker):
        built = docker.run("build", "--network", "none", "--no-cache", "--progress", "plain", "-t", "built", context,
                           env={"DOCKER_BUILDKIT": "1"}.items())
        assert built.code == 0, built
        docker.run("builder", "prune", "-af")
        return "from-the-build" in built.out + built.err, docker.run("run", "--rm", "built")
    assert same(scenario) == (True, (0, "content\n", ""))
