"""What `validate.py` lets through and what it refuses, tried on changed copies of the real files.

    python3 -m unittest cluster/test_validate.py -k RayFile     wants Ray
    python3 -m unittest cluster/test_validate.py -k SkyFile     wants SkyPilot
"""

import contextlib
import copy
import io
import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from cluster import validate

FOLDER = Path(__file__).parent


class FileCase(unittest.TestCase):
    """Cases of one file."""

    name: str

    def setUp(self) -> None:
        self.good = yaml.safe_load((FOLDER / self.name).read_text(encoding="utf-8"))

    def refused(self, change: Callable[[Any], Any], *words: str) -> None:
        """Checks that the file is refused after the change, with these words among the reasons."""
        changed = copy.deepcopy(self.good)
        change(changed)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / self.name
            path.write_text(yaml.safe_dump(changed), encoding="utf-8")
            with self.assertRaises(validate.Refused) as caught:
                validate.check(path)
        for word in words:
            self.assertIn(word, str(caught.exception))


class RayFile(FileCase):
    name = "ray.yaml"

    def worker(self, config: Any) -> Any:
        return config["available_node_types"]["local.cluster.node"]

    def test_the_file_is_good_and_is_what_it_says(self) -> None:
        validate.check(FOLDER / self.name)
        worker = self.worker(self.good)
        self.assertEqual((worker["min_workers"], worker["max_workers"]), (0, 4))
        started = self.good["worker_start_ray_commands"][1]
        for flag in ("--num-cpus=8", "--num-gpus=1", """--resources='{"rtx_a5000":1}'"""):
            self.assertIn(flag, started, "workers start with other resources than the autoscaler counts on")
        self.assertEqual(worker["resources"], {"CPU": 8, "GPU": 1, "rtx_a5000": 1})

    def test_more_workers_at_least_than_at_most(self) -> None:
        self.refused(lambda config: self.worker(config).update(min_workers=5), "max_workers", "min_workers")

    def test_more_workers_than_machines(self) -> None:
        self.refused(lambda config: config.update(max_workers=5), "4 `worker_ips`")

    def test_an_unknown_key(self) -> None:
        self.refused(lambda config: config.update(max_worker=4), "max_worker")
        self.refused(lambda config: self.worker(config).update(gpus=1), "gpus")

    def test_a_value_of_the_wrong_kind(self) -> None:
        self.refused(lambda config: config.update(max_workers="four"), "four")
        self.refused(lambda config: self.worker(config)["resources"].update(GPU="1"), "GPU")
        self.refused(lambda config: config.update(setup_commands="true"), "setup_commands")

    def test_something_missing(self) -> None:
        self.refused(lambda config: config.pop("provider"), "provider")
        self.refused(lambda config: config.pop("cluster_name"), "cluster_name")
        self.refused(lambda config: config.pop("cluster_synced_files"), "cluster_synced_files")

    def test_a_node_type_that_is_not_there(self) -> None:
        self.refused(lambda config: config.update(head_node_type="head"), "head_node_type")

    def test_a_provider_that_ray_does_not_have(self) -> None:
        self.refused(lambda config: config["provider"].update(type="runpod"), "runpod")

    def test_no_address_of_the_head(self) -> None:
        self.refused(lambda config: config["provider"].pop("head_ip"), "head_ip")


class SkyFile(FileCase):
    name = "runpod.sky.yaml"

    def test_the_file_is_good_and_is_what_it_says(self) -> None:
        validate.check(FOLDER / self.name)
        pool = self.good["pool"]
        self.assertEqual((pool["min_workers"], pool["max_workers"]), (0, 4))
        self.assertEqual(self.good["resources"]["accelerators"], "RTXA5000:1")

    def test_more_workers_at_least_than_at_most(self) -> None:
        self.refused(lambda config: config["pool"].update(min_workers=5), "min_workers (5)", "max_workers (4)")

    def test_an_unknown_key(self) -> None:
        self.refused(lambda config: config["resources"].update(acelerators="RTXA5000:1"), "accelerators")
        self.refused(lambda config: config["pool"].update(replicas=1), "replicas")

    def test_a_value_of_the_wrong_kind(self) -> None:
        self.refused(lambda config: config["pool"].update(max_workers="4"), "integer")
        self.refused(lambda config: config.update(run=["edge"]), "edge")

    def test_a_cloud_that_skypilot_does_not_have(self) -> None:
        self.refused(lambda config: config["resources"].update(infra="runpot"), "runpot")

    def test_an_endpoint_is_no_pool(self) -> None:
        def serve(config: Any) -> None:
            del config["pool"]
            config["service"] = {"readiness_probe": "/healthz", "replicas": 1}

        self.refused(serve, "`pool`")


class AnyFile(unittest.TestCase):
    """Wants neither."""

    def test_what_is_no_mapping(self) -> None:
        for text in ("", "[1, 2]", "a: [", "\0"):
            with self.subTest(text), tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "ray.yaml"
                path.write_text(text, encoding="utf-8")
                self.assertRaises(validate.Refused, validate.check, path)

    def test_the_exit_code_tells(self) -> None:
        with contextlib.redirect_stderr(io.StringIO()) as said:
            self.assertEqual(validate.main([]), 2)
            self.assertEqual(validate.main(["cluster/no-such-file.yaml"]), 1)
        self.assertIn("validate: cluster/no-such-file.yaml: ", said.getvalue())


if __name__ == "__main__":
    unittest.main()
