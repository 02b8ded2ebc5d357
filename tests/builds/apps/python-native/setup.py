from setuptools import Extension, setup

setup(name="sums", version="1.0", py_modules=["app"], ext_modules=[Extension("sums", ["sums.c"])])
