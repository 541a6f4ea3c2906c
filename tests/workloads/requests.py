"""requests, urllib3 and http.client against a TLS server of our own with a CA of our
own; contexts and sessions that were made at import, and others that are made later."""
import contextlib
import subprocess

from workloads import PYTHON, command, write

PACKAGES = "python3-requests openssl ca-certificates"
ENV = {}

SERVER = '''
import http.server, json, ssl, sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer({"path": self.path, "agent": self.headers["User-Agent"]})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer({"got": body.decode()})

    def answer(self, value):
        data = json.dumps(value, sort_keys=True).encode()
        self.send_response(404 if self.path == "/nothing" else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def version_string(self):
        return "server"

    def date_time_string(self, timestamp=None):
        return "now"

    def log_message(self, *words):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("server.pem", "server.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
'''

# Made at import, so before the freeze.
KEPT = '''
import http.client, os, ssl
import requests, urllib3

CA = os.path.join(os.path.dirname(__file__), "ca.pem")
session = requests.Session()
session.verify = CA
session.headers["User-Agent"] = "kept"
context = ssl.create_default_context(cafile=CA)
pool = urllib3.PoolManager(ssl_context=context, retries=False)
'''

CLIENT = '''
import concurrent.futures, http.client, os, ssl, sys
import requests, urllib3
import kept

PORT = int(os.environ["SERVER_PORT"])
URL = "https://localhost:%d" % PORT


def show(response):
    print(response.status_code, response.json(), sorted(response.headers.items()))


def kept_session():
    for n in range(3):
        show(kept.session.get(URL + "/%d" % n))
    show(kept.session.post(URL + "/form", data={"a": "b c"}))


def new_session():
    with requests.Session() as session:
        session.verify = kept.CA
        show(session.get(URL + "/new", params={"q": "x y"}))
        print(session.get(URL + "/nothing").status_code)


def certificate(context):
    connection = http.client.HTTPSConnection("localhost", PORT, context=context)
    connection.request("GET", "/raw", headers={"User-Agent": "raw"})
    response = connection.getresponse()
    print(response.status, response.read(), connection.sock.version(),
          connection.sock.cipher(), connection.sock.getpeercert()["subject"])
    connection.close()


def contexts():
    certificate(kept.context)
    certificate(ssl.create_default_context(cafile=kept.CA))
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    own.maximum_version = ssl.TLSVersion.TLSv1_2
    own.load_verify_locations(kept.CA)
    certificate(own)
    print(len(ssl.create_default_context().get_ca_certs()) > 50)


def pools():
    for pool in kept.pool, urllib3.PoolManager(ca_certs=kept.CA):
        response = pool.request("GET", URL + "/pool", headers={"User-Agent": "pool"})
        print(response.status, response.data)


def threads():
    with concurrent.futures.ThreadPoolExecutor(4) as executor:
        pages = [URL + "/%d" % n for n in range(40)]
        for response in executor.map(kept.session.get, pages):
            print(response.status_code, response.json())


def unknown_authority():
    try:
        requests.get(URL)
    except requests.exceptions.SSLError as error:
        print("CERTIFICATE_VERIFY_FAILED" in str(error))
    try:
        requests.get("https://127.0.0.1:%d" % PORT, verify=kept.CA)
    except requests.exceptions.SSLError as error:
        print("doesn't match" in str(error) or "mismatch" in str(error))


globals()[sys.argv[1]]()
'''

# With what VERIFY_X509_STRICT asks for, a default since 3.13. openssl shows how it looks
# for primes.
AUTHORITY = """
exec 2> openssl.log
new="openssl req -newkey rsa:2048 -nodes"
$new -x509 -keyout ca.key -out ca.pem -subj "/CN=a CA of our own" -days 30 \\
    -addext keyUsage=critical,keyCertSign,cRLSign
$new -keyout server.key -out server.csr -subj /CN=localhost
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial \\
    -out server.pem -extfile san -days 30
"""

# What lies in the script's folder is on sys.path only while the script runs.
WARM = '''
import os, sys
sys.path.insert(0, os.getcwd())
import concurrent.futures.thread, kept
sys.path.remove(os.getcwd())
'''


def arrange(home):
    write(home, "kept.py", KEPT)
    write(home, "client.py", CLIENT)
    write(home, "server.py", SERVER)
    write(home, "warm.py", WARM)
    write(home, "san", "subjectAltName=DNS:localhost\n"
          "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
    command(home, "sh", "-ec", AUTHORITY)


@contextlib.contextmanager
def session(home):
    # Not in home, which is made anew for each run: its files are read at once.
    server = subprocess.Popen(
        [PYTHON, "server.py"], cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin"})
    try:
        yield {"SERVER_PORT": server.stdout.readline().decode().strip()}
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def build(home):
    return ["-w", home + "/warm.py"]


def run(name, **more):
    return dict(plain=[PYTHON, "client.py", name], image=["client.py", name], **more)


def runs(home):
    return {
        "a session": run("kept_session", bench=True),
        "a new session": run("new_session"),
        "contexts": run("contexts"),
        "urllib3's pools": run("pools"),
        "threads": run("threads"),
        "a certificate that is not trusted": run("unknown_authority"),
    }
