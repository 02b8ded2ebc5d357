#include <node.h>

static void Sum(const v8::FunctionCallbackInfo<v8::Value>& call) {
  call.GetReturnValue().Set(call[0].As<v8::Number>()->Value() + call[1].As<v8::Number>()->Value());
}

NODE_MODULE_INIT() { NODE_SET_METHOD(exports, "sum", Sum); }
