"""Ansible: the version, and modules that run here: it forks workers, which start
the modules with a Python of their own."""
from workloads import write

PACKAGES = "ansible"
ENV = {}

PLAYBOOK = """- hosts: localhost
  connection: local
  gather_facts: false
  vars:
    words: [one, two]
  tasks:
    - name: write a file
      copy: {content: "{{ words | join(' ') }}\\n", dest: written}
    - name: look at it
      command: cat written
      register: seen
    - debug: {var: seen.stdout}
"""


def arrange(home):
    write(home, "play.yml", PLAYBOOK)
    write(home, "inventory", "localhost ansible_connection=local\n")
    # By default modules are copied to the user's own folder, and nobody has none.
    write(home, ".ansible.cfg", "[defaults]\ninventory = %s/inventory\n"
          "remote_tmp = %s/remote\n" % (home, home))
    write(home, "other.cfg", "[defaults]\nremote_tmp = %s/other\n" % home)


def build(home):
    return ["--for", "--", "/usr/bin/ansible", "localhost", "-m", "ping", "-c", "local"]


def run(*words, **more):
    return dict(plain=["/usr/bin/ansible", *words], image=list(words), **more)


def runs(home):
    ping = ["localhost", "-m", "ping", "-c", "local"]
    return {
        "version": run("--version", bench=True, target=60),
        "ping": run(*ping, bench=True),
        "ping by the own interpreter": run(
            *ping, "-e", "ansible_python_interpreter={{ansible_playbook_python}}"),
        "another configuration": run("--version", mode="auto",
                                     env={"ANSIBLE_CONFIG": home + "/other.cfg"}),
        "a module that fails": run(
            "localhost", "-c", "local", "-m", "command", "-a", "false", users=["nobody"]),
        "no such module": run("localhost", "-m", "nonsense", users=["nobody"]),
    }
