"""Run the pods of rendered manifests with podman.

    kubernetes_pods.py MANIFESTS IMAGE NETWORK

`podman play kube` knows no Jobs and no Services: a Job becomes a pod for each of its parallel ones, and the coordinator's
pod has its Service's name, under which podman's DNS knows it. What podman 4.3 does otherwise than a kubelet is mended
between making the pods and starting them: Secrets get the bytes, the links, the owner and the modes that a kubelet gives
them for the pod's fsGroup, and the claim's volume is given to that group.
"""

import base64
import copy
import json
import os
import subprocess
import sys

import yaml


def podman(*words, text=None):
    done = subprocess.run(["podman", *words], input=text, text=True, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"podman {' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def pods_of(job, image):
    spec = job["spec"]
    for number in range(spec.get("parallelism", 1)):
        pod = {"apiVersion": "v1", "kind": "Pod"} | copy.deepcopy(spec["template"])
        pod["metadata"]["name"] = job["metadata"]["name"] + (f"-{number}" if spec.get("completions") != 1 else "")
        for container in pod["spec"]["containers"]:
            container["image"] = image
            container.pop("ports", None)  # podman would take them from the host.
        for volume in pod["spec"]["volumes"]:
            if "secret" in volume:
                volume["secret"]["optional"] = False  # podman 4.3 stumbles where it is left out.
        yield pod


def folder_of(volume):
    return json.loads(podman("volume", "inspect", volume))[0]["Mountpoint"]


def lay_secret(folder, data, mode, group):
    """As a kubelet does: files under a dated folder, links to them, readable by the group as well."""
    for name in os.listdir(folder):
        os.unlink(f"{folder}/{name}")
    dated = "..2026_01_01_00_00_00.000000001"
    os.mkdir(f"{folder}/{dated}")
    for name, text in data.items():
        path = f"{folder}/{dated}/{name}"
        with open(path, "wb") as file:
            file.write(base64.b64decode(text))
        os.chown(path, 0, group)
        os.chmod(path, mode | 0o440)
        os.symlink(f"..data/{name}", f"{folder}/{name}")
    os.symlink(dated, f"{folder}/..data")
    for path, rights in ((f"{folder}/{dated}", 0o2755), (folder, 0o3777)):
        os.chown(path, 0, group)
        os.chmod(path, rights)


def main(path, image, network):
    with open(path, encoding="utf-8") as file:
        manifests = [m for m in yaml.safe_load_all(file) if m]
    for manifest in manifests:
        manifest["metadata"].pop("namespace", None)
    kept = [m for m in manifests if m["kind"] in ("ConfigMap", "Secret", "PersistentVolumeClaim")]
    pods = [pod for m in manifests if m["kind"] == "Job" for pod in pods_of(m, image)]
    podman("play", "kube", "--network", network, "--start=false", "-",
           text=yaml.safe_dump_all(kept + pods, sort_keys=False))
    # podman gives a volume to the user of the first container that mounts it: before it is laid out, then.
    containers = [f"{p['metadata']['name']}-{c['name']}" for p in pods for c in p["spec"]["containers"]]
    podman("init", *containers)
    secrets = {m["metadata"]["name"]: m["data"] for m in kept if m["kind"] == "Secret"}
    for pod in pods:
        group = pod["spec"]["securityContext"]["fsGroup"]
        for volume in pod["spec"]["volumes"]:
            if "secret" in volume:
                name = volume["secret"]["secretName"]
                if name in secrets:
                    lay_secret(folder_of(name), secrets.pop(name), volume["secret"]["defaultMode"], group)
            elif "persistentVolumeClaim" in volume:
                folder = folder_of(volume["persistentVolumeClaim"]["claimName"])
                os.chown(folder, 0, group)
                os.chmod(folder, 0o2775)
    # Workers first: they wait.
    for pod in reversed(pods):
        podman("pod", "start", pod["metadata"]["name"])
    print(json.dumps(containers))


if __name__ == "__main__":
    main(*sys.argv[1:])
