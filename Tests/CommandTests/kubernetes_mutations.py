"""Hold manifests against cluster/kubernetes/check.py as they are, where nothing may be found, and with one fault each, which
has to be found and named.

    kubernetes_mutations.py CHECK MANIFESTS...

Prints how many faults were tried.
"""

import copy
import importlib.util
import sys

import kubernetes_validate  # Schemas are part of what is tested, so they have to be here.

assert kubernetes_validate.validate

specification = importlib.util.spec_from_file_location("check", sys.argv[1])
check = importlib.util.module_from_spec(specification)
specification.loader.exec_module(check)

FAULTS = []


def fault(words):
    """Registers a change of a set of manifests, and what the check has to say about it."""
    def register(change):
        FAULTS.append((change.__name__, words, change))
        return change
    return register


class Set:
    """Manifests by kind and role."""

    def __init__(self, manifests):
        self.manifests = manifests

    def find(self, kind, word=""):
        return next(m for m in self.manifests if m["kind"] == kind and word in m["metadata"]["name"])

    def remove(self, kind, word=""):
        self.manifests.remove(self.find(kind, word))

    def job(self, role):
        return self.find("Job", role)

    def pod(self, role):
        return self.job(role)["spec"]["template"]["spec"]

    def container(self, role):
        return self.pod(role)["containers"][0]

    def replace(self, role, old, new):
        arguments = self.container(role)["args"]
        index = next(i for i, word in enumerate(arguments) if word.startswith(old))
        arguments[index:index + 1] = [new] if new else []


@fault("restartPolicy Always")
def restart_policy_of_a_job(s): s.pod("workers")["restartPolicy"] = "Always"


@fault("restartPolicy Always")
def restart_policy_left_out(s): del s.pod("coordinator")["restartPolicy"]


@fault("needs restartPolicy Never")
def restart_policy_beside_failure_policy(s): s.pod("coordinator")["restartPolicy"] = "OnFailure"


@fault("which is no container of it")
def failure_policy_of_another_container(s):
    s.job("workers")["spec"]["podFailurePolicy"]["rules"][0]["onExitCodes"]["containerName"] = "coordinator"


@fault("would begin anew")
def restarted_coordinator_begins_anew(s): s.replace("coordinator", "--resume-if-possible", None)


@fault("more than one coordinator")
def two_coordinators(s): s.job("coordinator")["spec"]["parallelism"] = 2


@fault("must match the pods of one workload")
def service_selects_nothing(s): s.find("Service")["spec"]["selector"]["app.kubernetes.io/component"] = "coordinators"


@fault("must match the pods of one workload")
def service_selects_workers_too(s): del s.find("Service")["spec"]["selector"]["app.kubernetes.io/component"]


@fault("does not lead to the coordinator")
def service_selects_workers(s): s.find("Service")["spec"]["selector"]["app.kubernetes.io/component"] = "worker"


@fault("is not headless")
def service_with_an_address(s): del s.find("Service")["spec"]["clusterIP"]


@fault("does not lead to 5555")
def service_of_another_port(s): s.find("Service")["spec"]["ports"][0]["port"] = 5556


@fault("does not lead to 5555")
def service_to_an_unnamed_port(s): s.find("Service")["spec"]["ports"][0]["targetPort"] = "dashboard"


@fault("none of its containerPorts")
def coordinator_listens_elsewhere(s): s.replace("coordinator", "--listen", "--listen=tcp://0.0.0.0:6000")


@fault("other pods need tcp://0.0.0.0:PORT")
def coordinator_listens_to_itself(s): s.replace("coordinator", "--listen", "--listen=tcp://127.0.0.1:5555")


@fault("and the coordinator listens on 5555")
def workers_connect_elsewhere(s): s.replace("worker", "--connect", "--connect=tcp://isomix-coordinator:5556")


@fault("no such Service")
def workers_connect_to_nobody(s): s.replace("worker", "--connect", "--connect=tcp://coordinator:5555")


@fault("lets Job isomix-workers in on 5555")
def policy_of_another_port(s):
    s.find("NetworkPolicy", "coordinator")["spec"]["ingress"][0]["ports"][0]["port"] = 5556


@fault("lets it out to the coordinator on 5555")
def policy_without_the_way_out(s): del s.find("NetworkPolicy", "workers")["spec"]["egress"][0]


@fault("ask DNS")
def policy_without_dns(s): del s.find("NetworkPolicy", "workers")["spec"]["egress"][1]["ports"][0]


@fault("isolates it")
def policy_left_out(s): s.remove("NetworkPolicy", "coordinator")


@fault("its podSelector matches no pods")
def policy_for_nobody(s):
    s.find("NetworkPolicy", "workers")["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] = "w"


@fault("a rule's podSelector matches no pods")
def policy_lets_nobody_in(s):
    peer = s.find("NetworkPolicy", "coordinator")["spec"]["ingress"][0]["from"][0]
    peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] = "client"


@fault("there is no ConfigMap")
def spec_left_out(s): s.remove("ConfigMap")


@fault("is in no ConfigMap")
def spec_of_another_name(s): s.container("coordinator")["args"][1] = "/etc/isomix/spec/other.yaml"


@fault("there is no Secret")
def keys_of_another_name(s): s.pod("workers")["volumes"][-1]["secret"]["secretName"] = "isomix-worker-keys"


@fault("there is no PersistentVolumeClaim")
def claim_left_out(s): s.remove("PersistentVolumeClaim")


@fault("mounts data, which is no volume")
def mount_without_a_volume(s): s.container("worker")["volumeMounts"].append({"name": "data", "mountPath": "/data"})


@fault("does not mount its volume keys")
def keys_not_mounted(s): s.container("worker")["volumeMounts"].pop()


@fault("no Secret is mounted at /etc/isomix/keys")
def keys_mounted_elsewhere(s): s.container("coordinator")["volumeMounts"][-1]["mountPath"] = "/keys"


@fault("has no --keys")
def no_keys(s): s.replace("worker", "--keys", None)


@fault("its Secret should hold")
def a_key_is_missing(s): del s.find("Secret", "worker")["data"]["worker.secret"]


@fault("its Secret should hold")
def workers_hold_the_coordinators_secret(s): s.find("Secret", "worker")["data"]["coordinator.secret"] = "eA=="


@fault("keys may be read by others")
def keys_for_everybody(s): s.pod("workers")["volumes"][-1]["secret"]["defaultMode"] = 0o444


@fault("keys may be read by others")
def keys_of_the_default_mode(s): del s.pod("coordinator")["volumes"][-1]["secret"]["defaultMode"]


@fault("without fsGroup")
def keys_of_root_alone(s): del s.pod("workers")["securityContext"]["fsGroup"]


@fault("limits.cpu is 'one', no quantity")
def cores_in_words(s): s.container("worker")["resources"]["limits"]["cpu"] = "one"


@fault("requests.memory is '1 GB', no quantity")
def memory_in_words(s): s.container("coordinator")["resources"]["requests"]["memory"] = "1 GB"


@fault("limits.memory is None")
def no_limit(s): del s.container("worker")["resources"]["limits"]["memory"]


@fault("requests more memory than its limit")
def limit_below_request(s): s.container("coordinator")["resources"]["limits"]["memory"] = "900M"


@fault("7 threads")
def threads_without_cores(s): s.replace("worker", "--threads", "--threads=7")


@fault("storage is 'much', no quantity")
def storage_in_words(s): s.find("PersistentVolumeClaim")["spec"]["resources"]["requests"]["storage"] = "much"


@fault("runAsNonRoot is not set")
def may_be_root(s): del s.pod("workers")["securityContext"]["runAsNonRoot"]


@fault("runAsUser is not set, or root")
def is_root(s): s.container("worker")["securityContext"]["runAsUser"] = 0


@fault("root file system is not read-only")
def writable_root(s): s.container("coordinator")["securityContext"]["readOnlyRootFilesystem"] = False


@fault("allowPrivilegeEscalation is not false")
def escalation(s): del s.container("worker")["securityContext"]["allowPrivilegeEscalation"]


@fault("is privileged")
def privileged(s): s.container("worker")["securityContext"]["privileged"] = True


@fault("does not drop all capabilities")
def a_capability(s): s.container("worker")["securityContext"]["capabilities"]["add"] = ["SYS_NICE"]


@fault("has no seccompProfile")
def no_seccomp(s): del s.pod("coordinator")["securityContext"]["seccompProfile"]


@fault("gets a service account's token")
def token(s): del s.pod("coordinator")["automountServiceAccountToken"]


@fault("shares the host's namespaces")
def host_network(s): s.pod("workers")["hostNetwork"] = True


@fault("mounts a folder of the host")
def host_folder(s):
    s.pod("workers")["volumes"][0] = {"name": "work", "hostPath": {"path": "/srv"}}


@fault("has no probe")
def no_probe(s):
    del s.container("coordinator")["startupProbe"]
    del s.container("coordinator")["readinessProbe"]


@fault("a probe asks port 8080")
def probe_of_another_port(s): s.container("coordinator")["readinessProbe"]["tcpSocket"]["port"] = 8080


@fault("is on no volume that it may write to")
def results_in_the_container(s): s.replace("coordinator", "--output", "--output=/tmp/fit")


@fault("is on no volume that it may write to")
def read_only_results(s): s.container("coordinator")["volumeMounts"][0]["readOnly"] = True


@fault("does not see the prepared data")
def data_elsewhere(s): s.container("worker")["volumeMounts"][0]["mountPath"] = "/data"


@fault("more than one namespace")
def another_namespace(s): s.find("Service")["metadata"]["namespace"] = "default"


@fault("no container is a worker")
def no_workers(s): s.remove("Job", "workers")


@fault("is there twice")
def the_same_twice(s): s.manifests.append(copy.deepcopy(s.find("Service")))


@fault("a kind that this check does not know")
def unknown_kind(s): s.find("Service")["kind"] = "Ingress"


# What the schemas see.
@fault("Kubernetes 1.")
def misspelt_field(s): s.pod("workers")["restartPolcy"] = "Never"


@fault("Kubernetes 1.")
def wrong_type(s): s.job("workers")["spec"]["parallelism"] = "2"


@fault("Kubernetes 1.")
def missing_field(s): del s.container("worker")["name"]


def main():
    failures = []
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            manifests = check.read(file.read())
        failures += [f"{path}: {problem}" for problem in check.problems(manifests)]
        for name, words, change in FAULTS:
            changed = copy.deepcopy(manifests)
            change(Set(changed))
            assert changed != manifests, name
            try:
                found = check.problems(changed)
            except Exception as error:  # A check that stumbles tells a user nothing.
                found = [f"{type(error).__name__}: {error}"]
            if not any(words in problem for problem in found):
                failures.append(f"{path}: {name} was not found; said instead: {found}")
    print(f"{len(FAULTS)} faults in {len(sys.argv) - 2} set(s)")
    print("\n".join(failures), file=sys.stderr)
    return 1 if failures else 0


sys.exit(main())
