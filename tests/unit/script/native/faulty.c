/* Objects that are refused, each for one reason: meson compiles this once for each of them. */
#include <mr/native.h>

__attribute__((unused)) static mr_status call_nothing(void *self, mr_call *call, mr_error *err)
{
    (void)self;
    (void)call;
    (void)err;
    return MR_OK;
}

#ifdef FAULT_UNDEFINED
/* Of millrace, but not for handlers. */
mr_app *mr_undefined(void);
static mr_status call_undefined(void *self, mr_call *call, mr_error *err)
{
    (void)self;
    (void)call;
    (void)err;
    return mr_undefined() == NULL ? MR_OK : MR_NOT_FOUND;
}
#define FUNCTIONS                                                                                  \
    {                                                                                              \
        MR_ON, "Add", call_undefined                                                               \
    }
#endif

#ifdef FAULT_OPEN
static mr_status refuse(const mr_stage *stage, void **ret_self, mr_error *err)
{
    (void)ret_self;
    return mr_error_set(err, MR_ERR_USAGE, "%d is too odd", (int)stage->settings[0]);
}
static const mr_native_setting settings[] = {{"width", 1, 9}};
#endif

#ifdef FAULT_SILENT
static mr_status refuse(const mr_stage *stage, void **ret_self, mr_error *err)
{
    (void)stage;
    (void)ret_self;
    (void)err;
    return MR_NOT_FOUND;
}
#endif

#ifndef FUNCTIONS
#define FUNCTIONS                                                                                  \
    {                                                                                              \
        MR_ON, "Add", call_nothing                                                                 \
    }
#endif
#ifndef N_FUNCTIONS
#define N_FUNCTIONS (sizeof(functions) / sizeof(functions[0]))
#endif
#ifndef ABI
#define ABI MR_NATIVE_ABI
#endif
#ifdef FAULT_EXPORT
#define mr_native_handlers mr_native_handler
extern __attribute__((visibility("default"))) const mr_native mr_native_handler;
#endif

static const mr_native_function functions[] = {FUNCTIONS};

const mr_native mr_native_handlers = {
    .abi = ABI,
    .functions = functions,
    .n_functions = N_FUNCTIONS,
#ifdef FAULT_OPEN
    .settings = settings,
    .n_settings = 1,
#endif
#if defined(FAULT_OPEN) || defined(FAULT_SILENT)
    .open = refuse,
#endif
};
