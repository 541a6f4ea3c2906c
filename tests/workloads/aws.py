"""AWS's command line: commands that only parse and print. botocore reads some
megabytes of JSON for that."""

PACKAGES = "awscli"
ENV = {}


def arrange(home):
    pass


def build(home):
    return ["--for", "--", "/usr/bin/aws", *SKELETON]


SKELETON = ["ec2", "describe-instances", "--generate-cli-skeleton"]


def run(*words, **more):
    return dict(plain=["/usr/bin/aws", *words], image=list(words), **more)


def runs(home):
    return {
        "version": run("--version", bench=True, target=100),
        "skeleton": run(*SKELETON, bench=True),
        "another service": run("sqs", "send-message", "--generate-cli-skeleton"),
        "wrong parameter": run("s3", "ls", "--nonsense"),
        "no such command": run("nonsense"),
    }
