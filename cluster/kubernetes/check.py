#!/usr/bin/env python3
"""Check manifests before they are applied: what a schema can't see.

    kubectl kustomize cluster/kubernetes/overlays/local | python3 cluster/kubernetes/check.py -

Prints one line a problem and exits with 1 when there is any. Needs PyYAML; with the package kubernetes-validate there, the
manifests are also held against the schemas of the Kubernetes versions in SCHEMAS, strictly.
"""

import json
import re
import sys
from decimal import Decimal

import yaml

# From the oldest version on whose published schema lets a rule have exit codes alone, to the newest known.
SCHEMAS = ["1.29", "1.31", "1.37"]
# What was valid before, for callers that check many variants.
VALID = set()
KNOWN_KINDS = {"Namespace", "ConfigMap", "Secret", "Service", "PersistentVolumeClaim", "Job", "Deployment", "Pod",
               "NetworkPolicy"}
KEY_FILES = {"coordinator": {"coordinator.secret", "authorized_workers"},
             "worker": {"worker.secret", "coordinator.public"}}
QUANTITY = re.compile(r"^([0-9]+(?:\.[0-9]+)?)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$")
SCALE = {"": Decimal(1), "m": Decimal(1) / 1000, "k": Decimal(10) ** 3}
SCALE |= {letter: Decimal(10) ** (3 * power) for power, letter in enumerate("MGTPE", 2)}
SCALE |= {letter + "i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)}


def read(text):
    """The manifests of a YAML stream."""
    return [document for document in yaml.safe_load_all(text) if document]


def quantity(value):
    """The number that a resource quantity stands for; None when it is none."""
    match = QUANTITY.match(str(value))
    return Decimal(match[1]) * SCALE[match[2] or ""] if match else None


def title(manifest):
    return f"{manifest.get('kind')} {manifest.get('metadata', {}).get('name')}"


def option(arguments, name):
    """The values of `--name value` and `--name=value`."""
    found = []
    for index, word in enumerate(arguments):
        if word == name and index + 1 < len(arguments):
            found.append(arguments[index + 1])
        elif str(word).startswith(name + "="):
            found.append(word.split("=", 1)[1])
    return found


class Check:
    def __init__(self, manifests):
        self.manifests = manifests
        self.problems = []
        self.workloads = [(m, self.pod_of(m)) for m in manifests if m.get("kind") in ("Job", "Deployment", "Pod")]

    def say(self, manifest, text):
        self.problems.append(f"{title(manifest)}: {text}")

    @staticmethod
    def pod_of(manifest):
        """A workload's pod: labels and spec."""
        template = manifest if manifest["kind"] == "Pod" else manifest.get("spec", {}).get("template", {})
        return {"labels": template.get("metadata", {}).get("labels", {}) or {}, "spec": template.get("spec", {})}

    def of(self, kind):
        return [m for m in self.manifests if m.get("kind") == kind]

    def named(self, kind, name):
        return next((m for m in self.of(kind) if m["metadata"].get("name") == name), None)

    def selected(self, labels):
        return [m for m, pod in self.workloads
                if labels and all(pod["labels"].get(k) == v for k, v in labels.items())]

    def role(self, container):
        """What a container of ours is: "coordinator", "worker" or neither."""
        return {"fit": "coordinator", "worker": "worker"}.get((container.get("args") or [""])[0])

    def containers(self, role=None):
        """(workload, pod's spec, container) of the workloads."""
        for workload, pod in self.workloads:
            spec = pod["spec"]
            for container in (spec.get("initContainers") or []) + (spec.get("containers") or []):
                if role is None or self.role(container) == role:
                    yield workload, spec, container

    def run(self):
        for step in (self.schemas, self.kinds, self.jobs, self.selectors, self.references, self.keys, self.ports,
                     self.rights, self.resources, self.probes, self.paths):
            step()
        return self.problems

    def schemas(self):
        try:
            import kubernetes_validate
        except ImportError:
            return
        for manifest in self.manifests:
            text = json.dumps(manifest, sort_keys=True)
            for version in SCHEMAS:
                if (version, text) in VALID:
                    continue
                try:
                    kubernetes_validate.validate(manifest, version, strict=True)
                    VALID.add((version, text))
                except Exception as error:  # Several unrelated classes.
                    reason = str(getattr(error, "message", None) or error).splitlines()[0]
                    self.say(manifest, f"Kubernetes {version}: {reason}")
                    break

    def kinds(self):
        names = set()
        for manifest in self.manifests:
            if manifest.get("kind") not in KNOWN_KINDS:
                self.say(manifest, "a kind that this check does not know")
            key = (manifest.get("kind"), manifest.get("metadata", {}).get("name"))
            if key in names:
                self.say(manifest, "is there twice")
            names.add(key)
        spaces = {m["metadata"].get("namespace") for m in self.manifests if m.get("kind") != "Namespace"}
        if len(spaces) > 1:
            self.problems.append(f"more than one namespace: {sorted(map(str, spaces))}")
        for role in KEY_FILES:
            if not list(self.containers(role)):
                self.problems.append(f"no container is a {role}")

    def jobs(self):
        for workload, pod in self.workloads:
            policy = pod["spec"].get("restartPolicy", "Always")
            if workload["kind"] == "Job":
                if policy not in ("Never", "OnFailure"):
                    self.say(workload, f"restartPolicy {policy}: a Job's pods can't have it")
                rules = workload["spec"].get("podFailurePolicy", {}).get("rules", [])
                if rules and policy != "Never":
                    self.say(workload, f"podFailurePolicy needs restartPolicy Never, and it is {policy}")
                names = {c.get("name") for c in pod["spec"].get("containers", [])}
                for rule in rules:
                    name = rule.get("onExitCodes", {}).get("containerName")
                    if name is not None and name not in names:
                        self.say(workload, f"podFailurePolicy speaks of {name}, which is no container of it")
            elif workload["kind"] == "Deployment" and policy != "Always":
                self.say(workload, f"restartPolicy {policy}: a Deployment's pods are always restarted")
        for workload, _, container in self.containers("coordinator"):
            if workload["kind"] == "Pod":
                continue
            if not {"--resume", "--resume-if-possible"} & set(container["args"]):
                self.say(workload, "a coordinator that is started anew would begin anew: give --resume-if-possible")
            if workload["spec"].get("parallelism", workload["spec"].get("replicas", 1)) != 1:
                self.say(workload, "more than one coordinator")

    def selectors(self):
        for workload, pod in self.workloads:
            selector = workload.get("spec", {}).get("selector")
            if workload["kind"] == "Deployment" and not (
                    selector and workload in self.selected(selector.get("matchLabels"))):
                self.say(workload, "its selector does not match its own pods")
            for constraint in pod["spec"].get("topologySpreadConstraints", []):
                if workload not in self.selected(constraint.get("labelSelector", {}).get("matchLabels")):
                    self.say(workload, "a topologySpreadConstraint does not match its own pods")
        for service in self.of("Service"):
            if len(self.selected(service["spec"].get("selector"))) != 1:
                self.say(service, "its selector must match the pods of one workload")
        for policy in self.of("NetworkPolicy"):
            if not self.selected(policy["spec"].get("podSelector", {}).get("matchLabels")):
                self.say(policy, "its podSelector matches no pods")
            for rule in (policy["spec"].get("ingress") or []) + (policy["spec"].get("egress") or []):
                for peer in (rule.get("from") or []) + (rule.get("to") or []):
                    if "namespaceSelector" not in peer and "podSelector" in peer and not self.selected(
                            peer["podSelector"].get("matchLabels")):
                        self.say(policy, f"a rule's podSelector matches no pods: {json.dumps(peer['podSelector'])}")

    def references(self):
        for workload, pod in self.workloads:
            volumes = {}
            for volume in pod["spec"].get("volumes", []):
                volumes[volume["name"]] = volume
                for kind, field, key in (("ConfigMap", "configMap", "name"), ("Secret", "secret", "secretName"),
                                         ("PersistentVolumeClaim", "persistentVolumeClaim", "claimName")):
                    if field in volume and self.named(kind, volume[field].get(key)) is None:
                        self.say(workload, f"there is no {kind} {volume[field].get(key)}")
            for container in pod["spec"].get("containers", []):
                mounts = {mount["name"]: mount for mount in container.get("volumeMounts", [])}
                for name in mounts.keys() - volumes.keys():
                    self.say(workload, f"mounts {name}, which is no volume of it")
                for name in volumes.keys() - mounts.keys():
                    self.say(workload, f"does not mount its volume {name}")

    def mounted(self, spec, container, path):
        """The volume in which a path of a container lies, and its mount."""
        best = None
        for mount in container.get("volumeMounts", []):
            inside = path == mount["mountPath"] or path.startswith(mount["mountPath"].rstrip("/") + "/")
            if inside and (best is None or len(mount["mountPath"]) > len(best["mountPath"])):
                best = mount
        volume = best and next((v for v in spec.get("volumes", []) if v["name"] == best["name"]), None)
        return volume, best

    def keys(self):
        for role, files in KEY_FILES.items():
            for workload, spec, container in self.containers(role):
                paths = option(container["args"], "--keys")
                if len(paths) != 1:
                    self.say(workload, "has no --keys: its connections would not be encrypted")
                    continue
                volume, mount = self.mounted(spec, container, paths[0])
                if not volume or "secret" not in volume or mount["mountPath"] != paths[0]:
                    self.say(workload, f"no Secret is mounted at {paths[0]}")
                    continue
                secret = self.named("Secret", volume["secret"].get("secretName"))
                held = set((secret or {}).get("data", {})) | set((secret or {}).get("stringData", {}))
                if secret and held != files:
                    self.say(workload, f"its Secret should hold {sorted(files)} and holds {sorted(held)}")
                if volume["secret"].get("defaultMode", 0o644) & 0o077:
                    self.say(workload, "its keys may be read by others: defaultMode 0400, please")
                if not spec.get("securityContext", {}).get("fsGroup"):
                    self.say(workload, "without fsGroup it can't read its keys, which belong to root")

    def ports(self):
        listening = [(w, c, e) for w, _, c in self.containers("coordinator") for e in option(c["args"], "--listen")]
        if len(listening) != 1:
            self.problems.append("one --listen ENDPOINT of the coordinator is expected")
            return
        coordinator, container, endpoint = listening[0]
        match = re.match(r"^tcp://0\.0\.0\.0:([0-9]+)$", endpoint)
        if not match:
            self.say(coordinator, f"--listen {endpoint}: other pods need tcp://0.0.0.0:PORT")
            return
        port = int(match[1])
        declared = {p.get("name"): p["containerPort"] for p in container.get("ports", [])}

        def resolve(given):
            return declared.get(given) if isinstance(given, str) and not given.isdigit() else int(given)

        if port not in declared.values():
            self.say(coordinator, f"listens on {port}, which is none of its containerPorts")
        for workload, _, worker in self.containers("worker"):
            endpoints = option(worker["args"], "--connect")
            match = re.match(r"^tcp://([a-z0-9.-]+):([0-9]+)$", endpoints[0]) if len(endpoints) == 1 else None
            service = self.named("Service", match[1].split(".")[0]) if match else None
            if service is None:
                self.say(workload, f"--connect {endpoints}: no such Service")
                continue
            if coordinator not in self.selected(service["spec"].get("selector")):
                self.say(service, "does not lead to the coordinator")
            if service["spec"].get("clusterIP") != "None":
                self.say(service, "is not headless: long connections are better off without a proxy between")
            if not any(p["port"] == int(match[2]) and resolve(p.get("targetPort", p["port"])) == port
                       for p in service["spec"].get("ports", [])):
                self.say(service, f"port {match[2]}, which workers connect to, does not lead to {port}")
            # A headless Service translates nothing: clients reach the pod's own port.
            if int(match[2]) != port:
                self.say(workload, f"connects to {match[2]}, and the coordinator listens on {port}")
            if not self.may(coordinator, workload, port, "ingress"):
                self.say(coordinator, f"no NetworkPolicy lets {title(workload)} in on {port}")
            if not self.may(workload, coordinator, port, "egress"):
                self.say(workload, f"no NetworkPolicy lets it out to the coordinator on {port}")
            if not self.asks_dns(workload):
                self.say(workload, "no NetworkPolicy lets it ask DNS (UDP and TCP 53) for the coordinator's address")
        for workload, _ in self.workloads:
            if workload["kind"] != "Pod" and not self.policies(workload, "Ingress"):
                self.say(workload, "no NetworkPolicy isolates it: anybody in the cluster can connect")

    def policies(self, workload, direction):
        return [p for p in self.of("NetworkPolicy") if direction in p["spec"].get("policyTypes", [])
                and workload in self.selected(p["spec"]["podSelector"].get("matchLabels"))]

    def may(self, workload, peer, port, direction):
        """Whether a policy of a workload lets a peer in or out on a TCP port."""
        side = {"ingress": "from", "egress": "to"}[direction]
        for policy in self.policies(workload, direction.capitalize()):
            for rule in policy["spec"].get(direction) or []:
                fits = any(peer in self.selected(p.get("podSelector", {}).get("matchLabels"))
                           for p in rule.get(side, []))
                if fits and any(p.get("port") == port and p.get("protocol", "TCP") == "TCP"
                                for p in rule.get("ports", [])):
                    return True
        return False

    def asks_dns(self, workload):
        allowed = {(p.get("protocol", "TCP"), p.get("port")) for policy in self.policies(workload, "Egress")
                   for rule in policy["spec"].get("egress") or []
                   if not rule.get("to") for p in rule.get("ports", [])}
        return {("UDP", 53), ("TCP", 53)} <= allowed

    def rights(self):
        for workload, spec, container in self.containers():
            pod, own = spec.get("securityContext", {}), container.get("securityContext", {})

            def need(fine, text):
                if not fine:
                    self.say(workload, f"container {container.get('name')}: {text}")

            need((pod | own).get("runAsNonRoot") is True, "runAsNonRoot is not set")
            need((pod | own).get("runAsUser", 0) > 0, "runAsUser is not set, or root")
            need(own.get("readOnlyRootFilesystem") is True, "its root file system is not read-only")
            need(own.get("allowPrivilegeEscalation") is False, "allowPrivilegeEscalation is not false")
            need(own.get("privileged") is not True, "is privileged")
            need(own.get("capabilities") == {"drop": ["ALL"]}, "does not drop all capabilities")
            need((pod | own).get("seccompProfile", {}).get("type") == "RuntimeDefault", "has no seccompProfile")
            need(spec.get("automountServiceAccountToken") is False, "gets a service account's token")
            need(not any(spec.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")), "shares the host's namespaces")
            need(not any("hostPath" in volume for volume in spec.get("volumes", [])), "mounts a folder of the host")

    def resources(self):
        for workload, _, container in self.containers():
            amounts = {}
            for kind in ("requests", "limits"):
                for name in ("cpu", "memory"):
                    value = container.get("resources", {}).get(kind, {}).get(name)
                    amounts[kind, name] = quantity(value) if value is not None else None
                    if not amounts[kind, name]:
                        self.say(workload, f"container {container.get('name')}: {kind}.{name} is {value!r}, no quantity")
            for name in ("cpu", "memory"):
                least, most = amounts["requests", name], amounts["limits", name]
                if least and most and least > most:
                    self.say(workload, f"container {container.get('name')}: requests more {name} than its limit")
            if self.role(container) == "worker":
                threads = int((option(container["args"], "--threads") or ["1"])[0])
                if amounts["limits", "cpu"] is not None and amounts["limits", "cpu"] != threads:
                    self.say(workload, f"has {threads} threads and {amounts['limits', 'cpu']} cores")
        for claim in self.of("PersistentVolumeClaim"):
            value = claim["spec"].get("resources", {}).get("requests", {}).get("storage")
            if value is None or not quantity(value):
                self.say(claim, f"storage is {value!r}, no quantity")

    def probes(self):
        for workload, _, container in self.containers():
            names = {p.get("name") for p in container.get("ports", [])}
            numbers = {p["containerPort"] for p in container.get("ports", [])}
            found = [container[k] for k in ("startupProbe", "readinessProbe", "livenessProbe") if k in container]
            if self.role(container) == "coordinator" and workload["kind"] != "Pod" and not found:
                self.say(workload, "has no probe")
            for probe in found:
                port = (probe.get("tcpSocket") or probe.get("httpGet") or {}).get("port")
                if port is not None and port not in names | numbers:
                    self.say(workload, f"a probe asks port {port}, which is none of its containerPorts")

    def paths(self):
        """The spec is in the ConfigMap; what is written lies on a volume, which workers see under the same path."""
        for workload, spec, container in self.containers("coordinator"):
            path = container["args"][1] if len(container["args"]) > 1 else ""
            volume, mount = self.mounted(spec, container, path)
            held = (self.named("ConfigMap", (volume or {}).get("configMap", {}).get("name")) or {}).get("data", {})
            if not mount or path[len(mount["mountPath"]) + 1:] not in held:
                self.say(workload, f"the spec {path} is in no ConfigMap")
            for name in ("--output", "--cache"):
                for given in option(container["args"], name) or [""]:
                    volume, mount = self.mounted(spec, container, given)
                    if not volume or "persistentVolumeClaim" not in volume or mount.get("readOnly"):
                        self.say(workload, f"{name} {given} is on no volume that it may write to")
            cache = (option(container["args"], "--cache") or [""])[0]
            here, mount = self.mounted(spec, container, cache)
            for worker, its_spec, its_container in self.containers("worker"):
                there, its_mount = self.mounted(its_spec, its_container, cache)
                if not here or not there or mount["mountPath"] != its_mount["mountPath"] or here.get(
                        "persistentVolumeClaim") != there.get("persistentVolumeClaim"):
                    self.say(worker, f"does not see the prepared data under {cache}, as the coordinator does")


def problems(manifests):
    """What is wrong with manifests that are applied together."""
    return Check(manifests).run()


def main(arguments):
    if len(arguments) != 1 or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if arguments and arguments[0] in ("-h", "--help") else 64
    text = sys.stdin.read() if arguments[0] == "-" else open(arguments[0], encoding="utf-8").read()
    found = problems(read(text))
    for problem in found:
        print(problem)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
