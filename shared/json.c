/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"
#include "buf.h"
#include "quantity.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
cJSON*json_read(const char*d,size_t n,char*e,size_t z){ const char*end=NULL; cJSON*o=cJSON_ParseWithLengthOpts(d,n,&end,0); if(!o){snprintf(e,z,"not JSON"); return NULL;} while(end<d+n&&strchr(" \t\r\n",*end))end++; if(end<d+n){cJSON_Delete(o); snprintf(e,z,"trailing"); return NULL;} return o;}
const cJSON*json_get(const cJSON*o,const char*k){return cJSON_IsObject(o)?cJSON_GetObjectItemCaseSensitive(o,k):NULL;}
const char*json_str(const cJSON*o,const char*k){const cJSON*i=json_get(o,k); return cJSON_IsString(i)?i->valuestring:NULL;}
bool json_item_int(const cJSON*i,int64_t*o){ if(!cJSON_IsNumber(i)||i->valuedouble!=floor(i->valuedouble)||fabs(i->valuedouble)>9007199254740992.0)return false; *o=(int64_t)i->valuedouble; return true;}
bool json_int(const cJSON*o,const char*k,int64_t*r){return json_item_int(json_get(o,k),r);}
bool json_id(const cJSON*o,const char*k,int64_t*r){const cJSON*i=json_get(o,k); if(cJSON_IsString(i))return int_parse(i->valuestring,-JSON_INT_MAX,JSON_INT_MAX,r); return json_item_int(i,r);}
bool json_bool(const cJSON*o,const char*k,bool d){const cJSON*i=json_get(o,k); return cJSON_IsBool(i)?cJSON_IsTrue(i):d;}
const cJSON*json_array(const cJSON*o,const char*k){const cJSON*i=json_get(o,k); return cJSON_IsArray(i)?i:NULL;}
void json_add_int(cJSON*o,const char*k,int64_t n){char t[24]; snprintf(t,24,"%lld",(long long)n); cJSON_AddItemToObject(o,k,cJSON_CreateRaw(t));}
void json_add_str(cJSON*o,const char*k,const char*s){ if(s)cJSON_AddStringToObject(o,k,s); else cJSON_AddNullToObject(o,k);}
void json_add_bool(cJSON*o,const char*k,bool b){cJSON_AddBoolToObject(o,k,b);}
cJSON*json_add_object(cJSON*o,const char*k){return cJSON_AddObjectToObject(o,k);}
cJSON*json_add_array(cJSON*o,const char*k){return cJSON_AddArrayToObject(o,k);}
cJSON*json_new_object(void){return cJSON_CreateObject();}
char*json_print(const cJSON*o){return cJSON_PrintUnformatted(o);}
