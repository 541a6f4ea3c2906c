"""cryptography: certificates, authenticated encryption, Fernet; keys and contexts that
were made at import. What the image encrypts python3 decrypts."""
from workloads import PYTHON, write

PACKAGES = "python3-cryptography"
ENV = {}

# Ed25519 signs without random numbers: the same certificate each time.
KEPT = '''
import datetime

from cryptography import x509
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.x509.oid import NameOID

KEY = bytes(range(32))
ca_key = ed25519.Ed25519PrivateKey.from_private_bytes(KEY)
gcm = AESGCM(KEY)
chacha = ChaCha20Poly1305(KEY)
fernet = Fernet(b"A" * 43 + b"=")
'''

PROGRAM = '''
import os, subprocess, sys

from kept import *

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a CA")])
START = datetime.datetime(2024, 1, 1)


def make(name, key, serial, issuer_key, is_ca):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(
        issuer_name=NAME, subject_name=subject, public_key=key.public_key(),
        serial_number=serial, not_valid_before=START,
        not_valid_after=START + datetime.timedelta(3650))
    builder = builder.add_extension(x509.BasicConstraints(is_ca, None), critical=True)
    builder = builder.add_extension(
        x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    return builder.sign(issuer_key, None)


def pem(thing):
    return thing.public_bytes(serialization.Encoding.PEM)


def certificates():
    ca = make("a CA", ca_key, 1, ca_key, True)
    key = ed25519.Ed25519PrivateKey.from_private_bytes(KEY[::-1])
    leaf = x509.load_pem_x509_certificate(pem(make("leaf", key, 2, ca_key, False)))
    print(pem(ca).decode(), pem(leaf).decode(), leaf.subject, leaf.not_valid_after)
    for extension in leaf.extensions:
        print(extension.oid._name, extension.critical, extension.value)
    ca.public_key().verify(leaf.signature, leaf.tbs_certificate_bytes)
    print(leaf.fingerprint(hashes.SHA256()).hex())
    try:
        leaf.public_key().verify(leaf.signature, leaf.tbs_certificate_bytes)
    except Exception as error:
        print(type(error).__name__)


def keys():
    private = rsa.generate_private_key(65537, 2048)
    signature = private.sign(b"text", padding.PKCS1v15(), hashes.SHA256())
    private.public_key().verify(signature, b"text", padding.PKCS1v15(), hashes.SHA256())
    curve = ec.generate_private_key(ec.SECP256R1())
    curve.public_key().verify(curve.sign(b"text", ec.ECDSA(hashes.SHA256())), b"text",
                              ec.ECDSA(hashes.SHA256()))
    again = serialization.load_pem_private_key(private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret")), b"secret")
    print(again.private_numbers() == private.private_numbers())
    print(PBKDF2HMAC(hashes.SHA256(), 32, b"salt", 1000).derive(b"password").hex())


def sealed():
    """One file: nonces and what they sealed, for unseal()."""
    with open("sealed", "wb") as file:
        for cipher in gcm, chacha:
            nonce = os.urandom(12)
            file.write(nonce + cipher.encrypt(nonce, b"text to hide " * 5, b"header"))
        file.write(fernet.encrypt(b"a token"))
    print(gcm.encrypt(bytes(12), b"text", None).hex(), chacha.encrypt(bytes(12), b"", b"x").hex())
    subprocess.run(["/usr/bin/python3", sys.argv[0], "unseal"], check=True)
    unseal()


def unseal():
    size = 12 + 65 + 16
    with open("sealed", "rb") as file:
        data = file.read()
    for number, cipher in enumerate((gcm, chacha)):
        part = data[number * size:][:size]
        print(cipher.decrypt(part[:12], part[12:], b"header"), flush=True)
    print(MultiFernet([fernet]).decrypt(data[2 * size:]), flush=True)
    try:
        gcm.decrypt(bytes(12), data[12:size], None)
    except Exception as error:
        print(type(error).__name__, flush=True)


globals()[sys.argv[1]]()
'''

WARM = '''
import os, sys
sys.path.insert(0, os.getcwd())
import kept, subprocess
kept.gcm.encrypt(os.urandom(12), b"text", None)
kept.Fernet.generate_key()
sys.path.remove(os.getcwd())
'''


def arrange(home):
    write(home, "kept.py", KEPT)
    write(home, "program.py", PROGRAM)
    write(home, "warm.py", WARM)


def build(home):
    return ["-w", home + "/warm.py"]


def run(name, **more):
    return dict(plain=[PYTHON, "program.py", name], image=["program.py", name], **more)


def runs(home):
    return {
        "certificates": run("certificates", bench=True),
        "keys": run("keys"),
        "sealed texts": run("sealed"),
    }
